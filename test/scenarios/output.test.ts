import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { scenario } from '../support/scenario.ts';
import { expectGraceful } from '../support/story.ts';

scenario('S57 the last line, without newline, written in the TERM handler, arrives', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('last-words')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.stdout.text()).toBe('ready\nlast words');
  expectGraceful(gsup);
});

scenario('S57 so does all that is written while it stops, in order', {}, async (trial) => {
  const lines = 20_000;
  const gsup = await trial.start(['-g', '30s'], [fixture('last-words'), '--lines', String(lines)]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  const expected = Array.from({ length: lines }, (_, line) => `line ${line}\n`).join('');
  expect(gsup.stdout.text()).toBe(`ready\n${expected}last words`);
});

scenario('S57 stdout belongs to the command: gsup writes only to stderr', {}, async (trial) => {
  const gsup = await trial.start(['-g', '50ms', '-v'], [fixture('ignores-sigterm')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  await gsup.ended();
  expect(gsup.stdout.text()).toBe('ready\n');
  expect(gsup.stderr.text()).not.toBe('');
});

scenario('S57 stdin reaches the command', {}, async (trial) => {
  const gsup = await trial.start([], ['cat'], { stdin: 'pipe' });
  gsup.stdin?.end('to the command\n');
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.stdout.text()).toBe('to the command\n');
});
