import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { copyInstallation, installDriver, installScript } from '../support/installation.ts';
import { look, startTime } from '../support/processes.ts';
import type { Line } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectGraceful, expectKilledAfter, expectWait, theOne } from '../support/story.ts';
import { pause, until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;

async function start(trial: Trial, options: readonly string[], command: readonly string[]) {
  const one = installDriver(join(trial.folder, 'one'), '1.0.1');
  const gsup = await trial.start(options, command, { env: { GSUP_SUPERVISOR: join(one, 'dist/main.js') } });
  await gsup.ready();
  return { gsup, one };
}

const upgrades = (gsup: Gsup, state: string): Line[] =>
  gsup.records().filter((line) => line.type === 'upgrade' && line.state === state);
const versions = (gsup: Gsup): unknown[] =>
  gsup
    .records()
    .filter((line) => line.type === 'supervisor-started')
    .map((line) => line.version);

/** Asks for the upgrade, and waits until init says how it went. */
async function upgrade(gsup: Gsup, installation: string, state: 'done' | 'failed' = 'done'): Promise<void> {
  const before = upgrades(gsup, state).length;
  ask(gsup, installation);
  await until(`upgrade ${state}`, () => upgrades(gsup, state).length > before, 30_000, gsup.stderr.text);
}

function ask(gsup: Gsup, installation: string): void {
  const draft = join(gsup.folder, 'upgrade.new');
  writeFileSync(draft, installation);
  renameSync(draft, join(gsup.folder, 'upgrade'));
}

/** Who the command is: its pid, and when it was started. */
function identity(gsup: Gsup, name: string): string[] {
  return gsup.find(name).map((pid) => `${pid} ${look(pid)?.parent} ${startTime(pid)}`);
}

scenario(
  'S68 a supervisor of another version takes over in the middle of a grace',
  SUPERVISED,
  async (trial) => {
    const { gsup } = await start(trial, ['-g', '7s'], [fixture('ignores-sigterm')]);
    const two = installDriver(join(trial.folder, 'two'), '1.0.2');
    gsup.signal('SIGTERM');
    await gsup.record('rung');
    await pause(1000);
    await upgrade(gsup, two);
    expect(versions(gsup)).toEqual(['1.0.1', '1.0.2']);
    const ended = await gsup.ended();
    expect(ended.code).toBe(137);
    expectKilledAfter(gsup, 7000);
    expectWait(theOne(gsup.records(), 'run-ended'), { mono_ns: ended.at }, 0, 2000);
  },
);

scenario('S68 so does the whole of an installation as it is shipped', SUPERVISED, async (trial) => {
  const shipped = copyInstallation(join(trial.folder, 'shipped'));
  const over = join(trial.folder, 'over');
  const cleanUp = `echo cleaning; while [ ! -e ${over} ]; do sleep 0.05; done; exit 3`;
  const command = ['sh', '-c', `trap '${cleanUp}' TERM; echo ready; while :; do sleep 0.05; done`];
  const { gsup } = await start(trial, ['-g', '60s'], command);
  const leader = () => identity(gsup, 'sh')[0];
  const before = leader();
  gsup.signal('SIGTERM');
  await gsup.stdout.line(/^cleaning/);
  await upgrade(gsup, shipped);
  expect(leader()).toBe(before);
  writeFileSync(over, '');
  expect((await gsup.ended()).code).toBe(3);
  expect(versions(gsup)).toHaveLength(2);
  expectGraceful(gsup);
});

/** A hundred in `npm run soak:real`. */
const times = Number(process.env.GSUP_TEST_UPGRADES ?? 20);
scenario(
  `S68 back and forth ${times} times, and the command does not notice`,
  { ...SUPERVISED, rings: ['pid1'], timeoutMs: 240_000 },
  async (trial) => {
    const { gsup, one } = await start(trial, ['-g', '10s'], [fixture('reports-signals'), '--code', '3']);
    const two = installDriver(join(trial.folder, 'two'), '1.0.2');
    const before = identity(gsup, 'reports-signals');
    for (let time = 0; time < times; time++) await upgrade(gsup, time % 2 === 0 ? two : one);
    expect(identity(gsup, 'reports-signals')).toEqual(before);
    expect(versions(gsup)).toEqual(
      Array.from({ length: times + 1 }, (_, time) => (time % 2 === 0 ? '1.0.1' : '1.0.2')),
    );
    expect(gsup.stdout.lines(/^got/)).toEqual([]);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    theOne(gsup.records(), 'run-started');
    expect(upgrades(gsup, 'requested')).toHaveLength(times);
    expect(upgrades(gsup, 'failed')).toEqual([]);
  },
);

const cannotTakeOver: Readonly<Record<string, string>> = {
  'that ends at once': 'process.exit(1);',
  'that init takes for wrong usage': 'process.exit(64);',
  'whose code does not load': "import './missing.js';",
  'that speaks another protocol': `
    import { writeSync } from 'node:fs';
    const head = Buffer.alloc(32);
    head.writeUInt32LE(32, 0);
    head.writeUInt16LE(6, 4);
    head.writeUInt16LE(999, 6);
    writeSync(3, head);
    setInterval(() => {}, 1e9);`,
};
for (const [what, script] of Object.entries(cannotTakeOver))
  scenario(`S68 an installation ${what}: the old supervisor is back`, SUPERVISED, async (trial) => {
    const { gsup } = await start(
      trial,
      ['-g', '60s'],
      [fixture('reports-signals'), '--exit-on', 'SIGUSR2', '--code', '3'],
    );
    const before = identity(gsup, 'reports-signals');
    gsup.signal('SIGTERM');
    await gsup.stdout.line(/^got SIGTERM/);
    const bad = installScript(join(trial.folder, 'bad'), script);
    await upgrade(gsup, bad, 'failed');
    await until('a message that names it', () => gsup.stderr.text().includes(bad));
    expect(identity(gsup, 'reports-signals')).toEqual(before);
    gsup.signal('SIGUSR2');
    expect((await gsup.ended()).code).toBe(3);
    expect(versions(gsup)).toEqual(['1.0.1', '1.0.1']);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expectGraceful(gsup);
  });

scenario('S68 a path without an installation: the old supervisor is back', SUPERVISED, async (trial) => {
  const { gsup } = await start(trial, [], [fixture('reports-signals'), '--code', '3']);
  await upgrade(gsup, join(trial.folder, 'nowhere'), 'failed');
  await until('the old one', () => versions(gsup).length === 2);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
});

scenario(
  'S68 one that never answers: the old supervisor is back, and a stop meanwhile is carried out',
  SUPERVISED,
  async (trial) => {
    const { gsup } = await start(trial, ['-g', '30s'], [fixture('cleans-up-for'), '14000', '--code', '3']);
    const hangs = installScript(join(trial.folder, 'hangs'), 'setInterval(() => {}, 1e9);');
    ask(gsup, hangs);
    await gsup.record('upgrade', (line) => line.state === 'requested');
    gsup.signal('SIGTERM');
    await gsup.stdout.line(/^cleaning/);
    await gsup.record('upgrade', (line) => line.state === 'failed');
    await until('the old one', () => versions(gsup).length === 2);
    expect((await gsup.ended()).code).toBe(3);
    expectGraceful(gsup);
  },
);

scenario('S68 an installation that is gone later: the one before it serves', SUPERVISED, async (trial) => {
  const { gsup } = await start(trial, [], [fixture('reports-signals'), '--code', '3']);
  const two = installDriver(join(trial.folder, 'two'), '1.0.2');
  await upgrade(gsup, two);
  renameSync(two, `${two}.away`);
  process.kill(await gsup.supervisor(), 'SIGKILL');
  await until('the next one', () => versions(gsup).length === 3);
  expect(versions(gsup)).toEqual(['1.0.1', '1.0.2', '1.0.1']);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
});

scenario('S68 what is no path of an installation is not even asked for', SUPERVISED, async (trial) => {
  const { gsup } = await start(trial, [], [fixture('reports-signals'), '--code', '3']);
  ask(gsup, 'relative/path');
  await upgrade(gsup, installDriver(join(trial.folder, 'two'), '1.0.2'));
  expect(upgrades(gsup, 'requested')).toHaveLength(1);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
});
