// Stops as an orchestrator sends them: podman stop and kill, to gsup as PID 1 with default capabilities.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Line, msBetween } from '../support/records.ts';
import { expectWait, expectWithin, theOne, types } from '../support/story.ts';
import { until } from '../support/until.ts';
import { type Container, start } from './container.ts';
import { containerRing } from './podman.ts';

const { scenario } = await containerRing();
const stubborn = ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'];

/** When the stop signal reached gsup: that is what waits are counted from, not from the record of the decision. */
function arrival(records: readonly Line[]): Line {
  return theOne(
    records.filter((record) => record.run === undefined),
    'signal',
  );
}

scenario("S18 stop -t 10 ends before 10 s with the child's code", async (mode) => {
  const cleansUp =
    'trap "echo cleaning; sleep 1; echo cleaned; exit 42" TERM; echo ready; while :; do sleep 0.1; done';
  const container = await start(mode, [], ['sh', '-c', cleansUp]);
  await container.line(/^ready$/);
  await container.stop(10);
  expect(await container.ended()).toBe(42);
  expect(container.text()).toContain('cleaned');
  const records = await container.records('/run/gsup/sh');
  const end = theOne(records, 'run-ended');
  expect(end).toMatchObject({ code: 42, signal: null, forced: false });
  expect(records.findLast((record) => record.type === 'task-state')).toMatchObject({ exit_code: 42 });
  const asked = theOne(records, 'stop-requested');
  expect(asked).toMatchObject({ cause: 'signal', by: { pid: 0 } });
  expectWithin(asked, end, 5000);
});

scenario('S18 a child that ignores TERM is ended by gsup before stop -t 10 ends gsup', async (mode) => {
  const container = await start(mode, [], stubborn);
  await container.line(/^ready$/);
  await container.stop(10);
  expect(await container.ended()).toBe(137);
  const records = await container.records('/run/gsup/sh');
  const end = theOne(records, 'run-ended');
  expect(end).toMatchObject({ code: null, signal: 'SIGKILL', forced: true });
  expect(records.findLast((record) => record.type === 'task-state')).toMatchObject({ exit_code: 137 });
  expectWait(arrival(records), theOne(records, 'kill'), 8000);
  expect(msBetween(arrival(records), end)).toBeLessThan(9800);
});

scenario("S15 the image's stop signal is the one that the command gets", async (mode) => {
  const script = 'trap "exit 33" INT; trap "exit 34" TERM; echo ready; while :; do sleep 0.1; done';
  const container = await start(mode, [], ['sh', '-c', script], { podman: ['--stop-signal', 'SIGINT'] });
  await container.line(/^ready$/);
  await container.stop(10);
  expect(await container.ended()).toBe(33);
  expect(theOne(await container.records('/run/gsup/sh'), 'rung')).toMatchObject({ signal: 'SIGINT' });
});

scenario('S25 podman kill reaches the command with HUP, USR2 and WINCH, and is no stop', async (mode) => {
  const script = `
    for (const s of ['SIGHUP', 'SIGUSR2', 'SIGWINCH']) process.on(s, () => console.log('got', s));
    process.on('SIGTERM', () => process.exit(0));
    setInterval(() => {}, 1e9);
    console.log('ready');
  `;
  const container = await start(mode, [], ['node', '-e', script]);
  await container.line(/^ready$/);
  for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGWINCH']) {
    await container.kill(signal);
    await container.line(new RegExp(`^got ${signal}$`));
  }
  await container.stop(10);
  expect(await container.ended()).toBe(0);
});

/** Forks, leaves the session, clears the environment, takes uid 33; when it is ready its pid is in /tmp/daemon. */
function startsDaemon(behaviour: string): readonly string[] {
  const daemon = `${behaviour}; echo $$ >/tmp/daemon; while :; do sleep 0.1; done`;
  const leaves = `setsid -f env -i /usr/bin/setpriv --reuid 33 --regid 33 --clear-groups /bin/sh -c '${daemon}'`;
  const waits = 'while [ ! -s /tmp/daemon ]; do sleep 0.05; done';
  return ['sh', '-c', `${leaves}; ${waits}; echo daemon $(cat /tmp/daemon); exec sleep 1000`];
}

scenario('S08 a daemon of another uid removes its file on TERM before gsup ends', async (mode) => {
  const container = await start(mode, [], startsDaemon('trap "sleep 0.5; rm /tmp/daemon; exit" TERM'));
  await container.line(/^daemon \d+$/);
  await container.stop(10);
  expect(await container.ended()).toBe(143);
  expect(existsSync(join(await container.files(), 'tmp/daemon'))).toBe(false);
  expect(theOne(await container.records('/run/gsup/sh'), 'run-ended')).toMatchObject({ forced: false });
});

scenario('S09b a daemon of another uid and no environment ignores TERM and is killed', async (mode) => {
  const container = await start(mode, ['-g', '1s'], startsDaemon('trap "" TERM'));
  const daemon = Number((await container.line(/^daemon (\d+)$/))[1]);
  expect(await container.exec('stat', '-c', '%u', `/proc/${daemon}`)).toBe('33');
  await container.stop(10);
  expect(await container.ended()).toBe(143);
  const records = await container.records('/run/gsup/sh');
  const kill = theOne(records, 'kill');
  expect(kill.pids).toContain(daemon);
  expect(theOne(records, 'run-ended')).toMatchObject({ signal: 'SIGTERM', forced: true });
  expectWait(arrival(records), kill, 1000);
});

scenario(
  'S70 orphans of podman exec are reaped while gsup runs, and get the stop signal at the end',
  async (mode) => {
    const container = await start(mode, [], ['sh', '-c', 'echo ready; exec sleep 1000']);
    await container.line(/^ready$/);
    const files = await container.files();
    const inside = (pid: string) => join(files, 'proc', pid);

    const short = (await container.exec('sh', '-c', 'for i in 1 2 3; do sleep 0.2 & echo $!; done')).split(
      '\n',
    );
    expect(short).toHaveLength(3);
    // A zombie has its folder still.
    await until('the orphans to be reaped', () => !short.map(inside).some(existsSync));

    const orphan = await leaveOrphan(container, 'trap "echo term >/tmp/got; exit" TERM');
    await container.stop(10);
    expect(await container.ended()).toBe(143);
    expect(readFileSync(join(await container.files(), 'tmp/got'), 'utf8')).toBe('term\n');
    const records = await container.records('/run/gsup/sh');
    expect(types(records)).not.toContain('kill');
    const asTree = records.filter((record) => record.type === 'stragglers').flatMap((record) => record.pids);
    const asStrangers = records.filter((record) => record.type === 'stranger').map((record) => record.pid);
    expect(mode === 'order' ? asTree : asStrangers).toContain(orphan);
  },
);

scenario(
  'S70 an orphan of podman exec that ignores TERM is killed beside the command, not after it',
  async (mode) => {
    const container = await start(mode, ['-g', '3s'], stubborn);
    await container.line(/^ready$/);
    const orphan = await leaveOrphan(container, 'trap "" TERM');
    await container.stop(20);
    expect(await container.ended()).toBe(137);
    const records = await container.records('/run/gsup/sh');
    const kill = records.find(
      (record) => record.type === 'kill' && (record.pids as number[]).includes(orphan),
    );
    expect(kill, 'the record of its end').toBeDefined();
    // Of the tree it has the tree's grace; a stranger has the default one, from the same moment on.
    const asked = theOne(records, 'stop-requested');
    expectWait(asked, kill ?? asked, mode === 'order' ? 3000 : 8000);
  },
);

/** Its pid in the container; it is ready. */
async function leaveOrphan(container: Container, behaviour: string): Promise<number> {
  const script = `${behaviour}; echo $$ >/tmp/up; while :; do sleep 0.1; done`;
  await container.exec('sh', '-c', `setsid -f sh -c '${script}' >/dev/null 2>&1`);
  const note = join(await container.files(), 'tmp/up');
  return until('the orphan', () => existsSync(note) && Number(readFileSync(note, 'utf8')));
}
