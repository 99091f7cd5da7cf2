import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { scenario } from '../support/scenario.ts';
import { theOne } from '../support/story.ts';

const HOSTILE = '\u001b[31mred\u001b]0;title\u0007\nfake line\r\t"\\';

/** Control characters have no business in a message or a log line: only newline, between lines. */
function expectHarmless(gsup: Gsup): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(gsup.stderr.text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  expect(gsup.stderr.text()).not.toMatch(/^fake line/m);
  expect(gsup.records().length).toBeGreaterThan(0); // every line of it is JSON, or this had thrown
}

scenario('S64 a process name with escapes and newlines does no harm', {}, async (trial) => {
  const gsup = await trial.start(
    ['-g', '100ms'],
    [fixture('ignores-sigterm'), '--name', HOSTILE.slice(0, 15)],
  );
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  expectHarmless(gsup);
});

scenario('S64 nor does a process name that looks like the end of a name', {}, async (trial) => {
  const gsup = await trial.start(['-g', '100ms'], [fixture('daemonises'), '--ignore-term'], { name: 'a' });
  expect((await gsup.ended()).code).toBe(0);
  const tricky = await trial.start(['-g', '100ms'], [fixture('ignores-sigterm'), '--name', ') Z 1 1 (x) '], {
    name: 'b',
  });
  await tricky.ready();
  tricky.signal('SIGTERM');
  expect((await tricky.ended()).code).toBe(137);
  expect(theOne(tricky.records(), 'run-ended').forced).toBe(true);
});

scenario(
  'S64 a file name with escapes and newlines does no harm, also where it cannot be started',
  {},
  async (trial) => {
    const folder = join(trial.folder, HOSTILE);
    mkdirSync(folder);
    const file = join(folder, 'x\ny');
    copyFileSync(fixture('exits-with'), file);
    const gsup = await trial.start([], [file, '5'], { name: 'a' });
    expect((await gsup.ended()).code).toBe(5);
    expectHarmless(gsup);
    const missing = await trial.start([], [join(folder, 'missing')], { name: 'b' });
    expect((await missing.ended()).code).toBe(127);
    expectHarmless(missing);
  },
);

scenario('S64 the task of a hostile command gets a name that is one', {}, async (trial) => {
  const file = join(trial.folder, `..${HOSTILE}ü${'x'.repeat(100)}`);
  copyFileSync(fixture('exits-with'), file);
  const stateDir = join(trial.folder, 'state');
  const gsup = await trial.start([], [file, '5'], { name: null, stateDir });
  expect((await gsup.ended()).code).toBe(5);
  const [task = ''] = readdirSync(stateDir);
  expect(task).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/);
});

scenario('S64 arguments of 1 MB in all, with every byte, do no harm', {}, async (trial) => {
  const bytes = Array.from({ length: 255 }, (_, byte) => String.fromCharCode(byte + 1)).join('');
  const words = Array.from({ length: 12 }, () => bytes.repeat(240));
  const gsup = await trial.start(['-g', '50ms'], [fixture('ignores-sigterm'), ...words]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  expectHarmless(gsup);
});

scenario('S64 a task name that could leave the state directory is refused', {}, async (trial) => {
  for (const name of ['../up', '', '.', 'a/b', 'a\nb']) {
    const gsup = await trial.start([], [fixture('exits-with'), '0'], { name, brokenLogs: true });
    expect((await gsup.ended()).code, JSON.stringify(name)).toBe(64);
    expectHarmlessText(gsup);
  }
});

function expectHarmlessText(gsup: Gsup): void {
  expect(gsup.stderr.text()).not.toContain('\u001b');
  expect(gsup.stderr.text().split('\n').length).toBeLessThan(5);
}
