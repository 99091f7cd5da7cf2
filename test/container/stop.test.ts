// Stops as an orchestrator sends them: podman stop and kill, to gsup as PID 1 with default capabilities.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { bothWays, recordOf, recordsOf, secondsBetween, start, waitFor, whyNoContainers } from './podman.ts';

const reason = await whyNoContainers();

/** Ends with 42 a second after TERM, and says on the way what it does. */
const cleansUp =
  'trap "echo cleaning; sleep 1; echo cleaned; exit 42" TERM; echo ready; while :; do sleep 0.1; done';

describe.skipIf(reason).each(bothWays)('container stop, $way', ({ options }) => {
  test("S18 stop -t 10 ends before 10 s with the child's code", async () => {
    const container = await start({ options, command: ['sh', '-c', cleansUp] });
    await container.waitForLine(/^ready$/);
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 42 });
    expect(await container.text()).toContain('cleaned');
    const records = await container.records();
    expect(recordOf(records, 'run-ended')).toMatchObject({ code: 42, signal: null, forced: false });
    expect(recordsOf(records, 'task-state').at(-1)).toMatchObject({ exit_code: 42 });
    const asked = recordOf(records, 'stop-requested');
    expect(asked).toMatchObject({ cause: 'signal', by: { pid: 0 } });
    expect(secondsBetween(asked, recordOf(records, 'run-ended'))).toBeLessThan(5);
  });

  test('S18 stop -t 10 of a child that ignores TERM ends before 10 s by gsup, not by the orchestrator', async () => {
    const stubborn = 'trap "" TERM; echo ready; while :; do sleep 0.1; done';
    const container = await start({ options, command: ['sh', '-c', stubborn] });
    await container.waitForLine(/^ready$/);
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 137 });
    const records = await container.records();
    const ended = recordOf(records, 'run-ended');
    expect(ended).toMatchObject({ code: null, signal: 'SIGKILL', forced: true });
    expect(recordsOf(records, 'task-state').at(-1)).toMatchObject({ exit_code: 137 });
    const asked = recordOf(records, 'stop-requested');
    expect(secondsBetween(asked, recordOf(records, 'kill'))).toBeGreaterThanOrEqual(7.99);
    expect(secondsBetween(asked, ended)).toBeLessThan(9.8);
  });

  test("S15 the image's stop signal is the one that the command gets", async () => {
    const script = 'trap "exit 33" INT; trap "exit 34" TERM; echo ready; while :; do sleep 0.1; done';
    const container = await start({
      podman: ['--stop-signal', 'SIGINT'],
      options,
      command: ['sh', '-c', script],
    });
    await container.waitForLine(/^ready$/);
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 33 });
    expect(recordsOf(await container.records(), 'rung')[0]).toMatchObject({ signal: 'SIGINT' });
  });

  test('S25 podman kill reaches the command with HUP, USR2 and WINCH, and is no stop', async () => {
    const script = [
      'for (const s of ["SIGHUP", "SIGUSR2", "SIGWINCH"]) process.on(s, () => console.log("got", s));',
      'process.on("SIGTERM", () => process.exit(0));',
      'setInterval(() => {}, 1e9); console.log("ready");',
    ].join('\n');
    const container = await start({ options, command: ['node', '-e', script] });
    await container.waitForLine(/^ready$/);
    for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGWINCH']) {
      await container.kill(signal);
      await container.waitForLine(new RegExp(`^got ${signal}$`));
    }
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 0 });
  });
});

/** Forks, leaves the session, clears the environment, takes uid 33; its pid and state are in /tmp/daemon. */
function daemonOf(behaviour: string): readonly string[] {
  const daemon = `${behaviour}; echo $$ >/tmp/daemon; while :; do sleep 0.1; done`;
  const leave = `setsid -f env -i /usr/bin/setpriv --reuid 33 --regid 33 --clear-groups /bin/sh -c '${daemon}'`;
  return [
    'sh',
    '-c',
    `${leave}; while [ ! -s /tmp/daemon ]; do sleep 0.05; done; echo daemon $(cat /tmp/daemon); exec sleep 1000`,
  ];
}

describe.skipIf(reason).each(bothWays)(
  'container daemon of another uid, default capabilities, $way',
  ({ options }) => {
    test('S08 it removes its file on TERM before gsup ends', async () => {
      const command = daemonOf('trap "sleep 0.5; rm /tmp/daemon; exit" TERM');
      const container = await start({ options, command });
      await container.waitForLine(/^daemon \d+$/);
      await container.stop(10);
      expect(await container.ended()).toMatchObject({ code: 143 });
      expect(existsSync(path.join(await container.files(), 'tmp/daemon'))).toBe(false);
      expect(recordOf(await container.records(), 'run-ended')).toMatchObject({ forced: false });
    });

    test('S09b it ignores TERM and is killed when the grace ends', async () => {
      const container = await start({ options: [...options, '-g', '1s'], command: daemonOf('trap "" TERM') });
      const line = await container.waitForLine(/^daemon \d+$/);
      const daemon = Number(line.text.split(' ')[1]);
      expect(await container.exec('stat', '-c', '%u', `/proc/${daemon}`)).toBe('33');
      await container.stop(10);
      expect(await container.ended()).toMatchObject({ code: 143 });
      const records = await container.records();
      const kill = recordOf(records, 'kill');
      expect(kill.pids).toContain(daemon);
      expect(recordOf(records, 'run-ended')).toMatchObject({ signal: 'SIGTERM', forced: true });
      const waited = secondsBetween(recordOf(records, 'stop-requested'), kill);
      expect(waited).toBeGreaterThanOrEqual(0.99);
      expect(waited).toBeLessThan(3);
    });
  },
);

describe.skipIf(reason).each(bothWays)('container exec orphans, $way', ({ way, options }) => {
  test('S70 are reaped while gsup runs and get the stop signal at the end', async () => {
    const container = await start({ options, command: ['sh', '-c', 'echo ready; exec sleep 1000'] });
    await container.waitForLine(/^ready$/);

    const orphans = await container.exec('sh', '-c', 'for i in 1 2 3; do sleep 0.2 & echo $!; done');
    const pids = orphans.split('\n');
    expect(pids).toHaveLength(3);
    await waitFor(
      async () => (await container.exec('sh', '-c', `ls -d /proc/[0-9]*`)).split('\n').every(isNoneOf(pids)),
      () => `orphans ${pids} are still there`,
    );

    const lasting = 'trap "echo term >/tmp/got; exit" TERM; echo $$ >/tmp/up; while :; do sleep 0.1; done';
    await container.exec('sh', '-c', `setsid -f sh -c '${lasting}' >/dev/null 2>&1`);
    const files = await container.files();
    const orphan = await waitFor(
      async () =>
        existsSync(path.join(files, 'tmp/up')) && Number(await readFile(path.join(files, 'tmp/up'))),
      () => 'the lasting orphan did not start',
    );

    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 143 });
    expect(await readFile(path.join(files, 'tmp/got'), 'utf8')).toBe('term\n');
    const records = await container.records();
    expect(recordOf(records, 'run-ended')).toMatchObject({ forced: false });
    const asTree = recordsOf(records, 'stragglers').flatMap((record) => record.pids);
    const asStrangers = recordsOf(records, 'stranger').map((record) => record.pid);
    expect(way === 'init alone' ? asTree : asStrangers).toContain(orphan);
  });
});

function isNoneOf(pids: readonly string[]): (entry: string) => boolean {
  return (entry) => !pids.includes(path.basename(entry));
}
