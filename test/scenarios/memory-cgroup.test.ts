/*
 * Lack of memory in a cgroup of gsup's own, without a container: S46 and S38. With the version of cgroups that this machine has its memory
 * controller in. What version 2 says is also tried where there is none, with a file that the test writes in the kernel's place.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup, Settings } from '../support/gsup.ts';
import { startTime } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { theOne } from '../support/story.ts';
import { until } from '../support/until.ts';
import { outcomesOf, recordsOf } from '../support/up.ts';

const LIMIT_BYTES = 96 << 20;
const isRoot = process.getuid?.() === 0;
const main = join(import.meta.dirname, '../../dist/main.js');

interface Version {
  readonly folder: string;
  readonly limit: string;
}

const has = (file: string): boolean =>
  existsSync(file) && readFileSync(file, 'utf8').split(/\s/).includes('memory');

function versionHere(): Version | null {
  if (has('/sys/fs/cgroup/cgroup.subtree_control')) return { folder: '/sys/fs/cgroup', limit: 'memory.max' };
  if (existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes'))
    return { folder: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' };
  return null;
}

const version = versionHere();
const reason = !isRoot
  ? 'needs root'
  : version === null
    ? 'no cgroup with a memory controller is mounted for this machine'
    : null;
const name = version?.limit === 'memory.max' ? 'version 2' : 'version 1';

/** A cgroup with little memory, which gsup enters before it is gsup. */
function confined(trial: Trial): Settings {
  const folder = join(version?.folder ?? '', `gsup-test-${process.pid}-${trial.folder.split('-').at(-1)}`);
  mkdirSync(folder);
  trial.afterwards(() => until('nobody to be left in the cgroup', () => isRemoved(folder)).then(() => {}));
  writeFileSync(join(folder, version?.limit ?? ''), String(LIMIT_BYTES));
  return { before: ['sh', '-c', `echo $$ > ${folder}/cgroup.procs && exec "$@"`, 'sh'] };
}

function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
  } catch {
    return !existsSync(folder);
  }
  return true;
}

function cgroupScenario(title: string, body: (trial: Trial) => Promise<void>): void {
  if (reason !== null) test.skip(`${title}: ${reason}`, () => {});
  else scenario(`${title} [${name}]`, { modes: ['supervisor'], root: true }, body);
}

const holds = (mib: number) => ({ command: [fixture('holds-memory'), String(mib), '--code', '42'] });
const identities = (gsup: Gsup): string[] =>
  gsup.find('holds-memory').map((pid) => `${pid} ${startTime(pid)}`);

cgroupScenario(
  'S46 S42 up: the supervisor takes all memory of its cgroup: it goes, no process does',
  async (trial) => {
    const hoard = join(trial.folder, 'hoard');
    const script = join(trial.folder, 'main.mjs');
    const takes = `existsSync(${JSON.stringify(hoard)}) && hoard.push(Buffer.alloc(4 << 20, 1))`;
    writeFileSync(
      script,
      `import { existsSync } from 'node:fs'; const hoard = []; setInterval(() => ${takes}, 5); await import('${main}');`,
    );
    const settings = { ...confined(trial), env: { GSUP_SUPERVISOR: script } };
    const gsup = await trial.up(
      { processes: { db: holds(8), web: { ...holds(8), depends_on: ['db'] } } },
      settings,
    );
    await until('both', () => gsup.stdout.lines(/^ready$/).length === 2, 60_000, gsup.stderr.text);
    const before = identities(gsup);
    expect(before).toHaveLength(2);
    writeFileSync(hoard, '');
    await gsup.stderr.line(/the supervisor ended \(killed by signal 9, for lack of memory\)/);
    rmSync(hoard);
    await until('the next one', () => recordsOf(gsup, 'supervisor-started').length > 1, 60_000);
    expect(identities(gsup)).toEqual(before);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    const ended = recordsOf(gsup, 'run-ended').map(({ run, code, forced }) => `${run} ${code} ${forced}`);
    expect(ended).toEqual(['web#1 42 false', 'db#1 42 false']);
    expect(recordsOf(gsup, 'oom')).toEqual([]);
  },
);

cgroupScenario(
  'S38 up: who the kernel has killed for lack of memory has that as its cause, who was killed by hand has not',
  async (trial) => {
    const gate = join(trial.folder, 'gate');
    const greedy = { command: `until test -e ${gate}; do sleep 0.05; done; exec tail /dev/zero` };
    const gsup = await trial.up(
      { exit_when: 'all', processes: { greedy, victim: holds(1), stays: holds(1) } },
      confined(trial),
    );
    await until('both', () => gsup.stdout.lines(/^ready$/).length === 2, 60_000, gsup.stderr.text);
    const [pid] = gsup.find('holds-memory').filter((each) => isOf(each, 'victim#1'));
    expect(pid).toBeDefined();
    process.kill(pid as number, 'SIGKILL');
    await gsup.record('outcome', ({ run }) => run === 'victim#1');
    writeFileSync(gate, '');
    await gsup.record('outcome', ({ run }) => run === 'greedy#1');
    expect(theOne(gsup.records(), 'oom')).toMatchObject({ run: 'greedy#1' });
    gsup.signal('SIGTERM');
    await gsup.ended();
    expect(outcomesOf(gsup)).toEqual([
      'victim#1 failed signal SIGKILL',
      'greedy#1 failed oom SIGKILL',
      'stays#1 killed stopped 42',
    ]);
  },
);

function isOf(pid: number, run: string): boolean {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`GSUP_RUN=${run}`);
}

/** memory.events as version 2 has it (Documentation/admin-guide/cgroup-v2.rst), in a mount namespace of gsup's. */
const events = (kills: number): string =>
  `low 0\nhigh 3\nmax 17\noom ${kills}\noom_kill ${kills}\noom_group_kill 0\n`;

for (const [what, counts] of [
  ['the kernel counts one', true],
  ['the kernel counts none', false],
] as const)
  scenario(`S38 cgroup version 2: a SIGKILL, and ${what}`, { root: true }, async (trial) => {
    const folder = join(trial.folder, 'cgroup');
    mkdirSync(folder);
    const file = join(folder, 'memory.events');
    writeFileSync(file, events(5));
    // A plain run's PATH has no Node, and so not much.
    const script = `/usr/bin/mount --bind ${folder} /sys/fs/cgroup && exec "$@"`;
    const before = ['/usr/bin/unshare', '-m', '/bin/sh', '-c', script, 'sh'];
    const gsup = await trial.start([], [fixture('reports-signals')], { before });
    await gsup.ready();
    await gsup.record('run-started'); // a command can be ready before a plain init has looked at what was counted until then
    if (counts) writeFileSync(file, events(6));
    for (const pid of gsup.find('reports-signals')) process.kill(pid, 'SIGKILL');
    expect((await gsup.ended()).code).toBe(137);
    expect(recordsOf(gsup, 'oom').map(({ run }) => run)).toEqual(counts ? ['t#1'] : []);
    for (const outcome of recordsOf(gsup, 'outcome')) expect(outcome.cause).toBe(counts ? 'oom' : 'signal');
    expect(/for lack of memory/.test(gsup.stderr.text())).toBe(counts);
  });
