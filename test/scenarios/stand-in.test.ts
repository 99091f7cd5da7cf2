/** Under the name of tini or dumb-init. What is as with them is compared in test/parity; here is what only gsup can do, and what it must not. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY, type Gsup } from '../support/gsup.ts';
import { children } from '../support/processes.ts';
import { readRecords } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const ALONE = { modes: ['order'] } as const;
type Name = 'tini' | 'tini-static' | 'dumb-init';

/** What is left when it ends is its own business, unless `env` has a grace. */
async function standIn(
  trial: Trial,
  name: Name,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  put: (from: string, to: string) => void = symlinkSync,
): Promise<Gsup> {
  const folder = join(trial.folder, 'bin');
  mkdirSync(folder);
  put(BINARY, join(folder, name));
  return trial.start([], [], {
    instead: [join(folder, name), ...words],
    env: { GSUP_STATE_DIR: join(trial.folder, 'state'), ...env },
    brokenLogs: true,
    ...(env.GSUP_GRACE === undefined && { mayLeave: true as const }),
  });
}

const recordsOf = (trial: Trial, task: string) => readRecords(join(trial.folder, 'state', task));
const typesOf = (trial: Trial, task: string) => recordsOf(trial, task).map(({ type }) => type);

for (const [name, words] of [
  ['tini', ['-s', '--']],
  ['tini-static', ['-s', '--']],
  ['dumb-init', []],
] as const)
  scenario(`as ${name} it is one process with one child, and writes nothing`, ALONE, async (trial) => {
    const init = await standIn(trial, name, [...words, fixture('reports-signals'), '--code', '7']);
    await init.ready();
    expect(children(init.pid)).toEqual(init.tree());
    expect(init.tree()).toHaveLength(1);
    init.signal('SIGTERM');
    expect((await init.ended()).code).toBe(7);
    expect(readdirSync(join(trial.folder, 'state'))).toEqual([]);
    expect(init.stderr.text()).toBe('');
  });

scenario('a copy does as well as a link', ALONE, async (trial) => {
  const init = await standIn(trial, 'dumb-init', ['-V'], {}, copyFileSync);
  expect((await init.ended()).code).toBe(0);
  expect(init.stderr.text()).toMatch(/^dumb-init v1\.2\.5 \(gsup .*\)\n$/);
});

const background = [fixture('leaves-background-child'), '--', fixture('cleans-up-for'), '300'];

scenario('S05 as tini with a grace it waits for the whole tree', ALONE, async (trial) => {
  const init = await standIn(trial, 'tini', ['-s', '--', ...background], { GSUP_GRACE: '20s' });
  await init.stdout.line(/^leader ready/);
  init.signal('SIGTERM');
  await init.ended(); // with nothing left: asked of the kernel
  expect(typesOf(trial, 'leaves-background-child')).toEqual(expect.arrayContaining(['rung', 'run-ended']));
  expect(typesOf(trial, 'leaves-background-child')).not.toContain('kill');
});

scenario('S02 as dumb-init with a grace it kills what has ignored that', ALONE, async (trial) => {
  const init = await standIn(trial, 'dumb-init', [fixture('ignores-sigterm')], { GSUP_GRACE: '300ms' });
  await init.ready();
  init.signal('SIGTERM');
  expect((await init.ended()).code).toBe(137);
  expect(typesOf(trial, 'ignores-sigterm')).toContain('kill');
  expect(init.stderr.text()).toContain('SIGKILL after');
});

scenario("tini's options hold with a grace", ALONE, async (trial) => {
  const words = [
    '-g',
    '-w',
    '-e',
    '3',
    '-pSIGUSR1',
    '-e143',
    '--',
    fixture('reports-signals'),
    '--code',
    '3',
  ];
  const init = await standIn(trial, 'tini', words, { GSUP_GRACE: '10s', TINI_VERBOSITY: '1' });
  await init.ready();
  init.signal('SIGTERM');
  expect((await init.ended()).code).toBe(0);
  expect(init.stderr.text()).toMatch(/^\[WARN {2}tini \(\d+\)\] -w says nothing with GSUP_GRACE\n/);
});

scenario('TINI_VERBOSITY=0 is silent with a grace, too', ALONE, async (trial) => {
  const env = { GSUP_GRACE: '200ms', TINI_VERBOSITY: '0' };
  const init = await standIn(trial, 'tini', [fixture('ignores-sigterm')], env);
  await init.ready();
  init.signal('SIGTERM');
  expect((await init.ended()).code).toBe(137);
  expect(init.stderr.text()).toBe('');
});

scenario("dumb-init's options hold with a grace", ALONE, async (trial) => {
  const words = ['-r', '15:3', '-r', '1:0', '-c', '--', fixture('reports-signals'), '--exit-on', 'SIGQUIT'];
  const init = await standIn(trial, 'dumb-init', words, { GSUP_GRACE: '10s' });
  await init.ready();
  init.signal('SIGHUP');
  init.signal('SIGTERM');
  expect((await init.ended()).code).toBe(0);
  expect(init.stdout.text()).not.toMatch(/SIGHUP|SIGTERM/);
  const rung = recordsOf(trial, 'reports-signals').find(({ type }) => type === 'rung');
  expect(rung).toMatchObject({ signal: 'SIGQUIT', target: 'leader' });
});

scenario(
  '-p with a grace: the end of its parent is a stop',
  { modes: ['order'], rings: ['subreaper'] },
  async (trial) => {
    const folder = join(trial.folder, 'bin');
    mkdirSync(folder);
    symlinkSync(BINARY, join(folder, 'tini'));
    const shell = await trial.start([], [], {
      instead: [
        'sh',
        '-c',
        '"$@" & read line',
        'sh',
        join(folder, 'tini'),
        '-p',
        'SIGTERM',
        '--',
        fixture('reports-signals'),
      ],
      env: { GSUP_STATE_DIR: join(trial.folder, 'state'), GSUP_GRACE: '10s' },
      stdin: 'pipe',
      warden: ['--linger', '20000'],
      brokenLogs: true,
      mayLeave: true,
    });
    await shell.ready();
    shell.stdin?.end('end\n');
    await until('the stop', () => typesOf(trial, 'reports-signals').includes('task-state'));
    expect(existsSync(join(trial.folder, 'state/reports-signals/init.log'))).toBe(true);
    await shell.ended();
  },
);

scenario('with a grace what is wrong with gsup is said by gsup', ALONE, async (trial) => {
  const init = await standIn(trial, 'tini', ['true'], { GSUP_GRACE: '10' });
  expect((await init.ended()).code).toBe(64);
  expect(init.stderr.text()).toContain('GSUP_GRACE');
});
