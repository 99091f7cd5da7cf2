// Containers that are given little: memory, a user without rights, no place to write.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { bothWays, recordOf, recordsOf, start, waitFor, whyNoContainers } from './podman.ts';

const reason = await whyNoContainers();

const obeys = ['sh', '-c', 'trap "exit 42" TERM; echo ready; while :; do sleep 0.1; done'];

describe.skipIf(reason).each(bothWays)('container confined, $way', ({ options }) => {
  test('S54 a hundred orphans at once are all reaped, and gsup sleeps afterwards', async () => {
    const orphans = 'for i in $(seq 100); do sleep 0.3 & done';
    const script = `sh -c '${orphans}'; echo orphaned; exec sleep 1000`;
    const container = await start({ options, command: ['sh', '-c', script] });
    await container.waitForLine(/^orphaned$/);
    const pid = Number(await container.inspect('{{.State.Pid}}'));
    await waitFor(
      async () => (await descendants(pid)).every((comm) => /^(gsup|node|sleep)$/.test(comm)) || undefined,
      async () => `left: ${await descendants(pid)}`,
    );
    await waitFor(
      async () => (await descendants(pid)).filter((comm) => comm === 'sleep').length === 1,
      async () => `left: ${await descendants(pid)}`,
    );
    // The supervisor may still be on its way up; what must become quiet is init.
    await waitFor(
      async () => {
        const before = await switches(pid);
        await pause(1000);
        return (await switches(pid)) === before;
      },
      () => 'PID 1 keeps waking up although nothing happens',
    );
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 143 });
  });

  test('S38 the OOM killer takes the command: 137, and gsup lives to record it', async () => {
    const container = await start({
      podman: ['--memory', '128m', '--memory-swap', '128m'],
      options,
      command: ['tail', '/dev/zero'],
    });
    expect(await container.ended()).toMatchObject({ code: 137 });
    const records = await container.records();
    expect(recordOf(records, 'run-ended')).toMatchObject({ code: null, signal: 'SIGKILL', forced: false });
    expect(recordsOf(records, 'task-state').at(-1)).toMatchObject({ state: 'failed', exit_code: 137 });
  });

  test('S18 a user without rights: state under /tmp, stop as for root', async () => {
    const container = await start({ podman: ['--user', '1000:1000'], options, command: obeys });
    await container.waitForLine(/^ready$/);
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 42 });
    const records = await container.records('/tmp/gsup-1000');
    expect(recordOf(records, 'run-ended')).toMatchObject({ code: 42, forced: false });
  });

  test('S52 read-only root with tmpfs: state under /run', async () => {
    const container = await start({ podman: ['--read-only'], options, command: obeys });
    await container.waitForLine(/^ready$/);
    expect(await container.exec('sh', '-c', 'ls /run/gsup/*/init.log')).toBe('/run/gsup/sh/init.log');
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 42 });
  });

  test('S52 read-only root without tmpfs: state in the shared memory', async () => {
    const container = await start({
      podman: ['--read-only', '--read-only-tmpfs=false'],
      options,
      command: obeys,
    });
    await container.waitForLine(/^ready$/);
    expect(await container.exec('sh', '-c', 'ls /dev/shm/gsup-0/*/init.log')).toBe(
      '/dev/shm/gsup-0/sh/init.log',
    );
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 42 });
  });

  test('S52 a named state directory that cannot be had: warned of, and the stop is the same', async () => {
    const container = await start({
      podman: ['--read-only'],
      options: [...options, '--state-dir', '/var/lib/gsup'],
      command: obeys,
    });
    await container.waitForLine(/^ready$/);
    const warning = await container.waitForLine(/cannot .*\/var\/lib\/gsup/);
    expect(warning.stream).toBe('stderr');
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 42 });
  });

  test('S52 --require-state: 73, and nothing is started', async () => {
    const container = await start({
      podman: ['--read-only'],
      options: [...options, '--state-dir', '/var/lib/gsup', '--require-state'],
      command: ['echo', 'started'],
    });
    expect(await container.ended()).toMatchObject({ code: 73 });
    const lines = await container.lines();
    expect(lines.filter((line) => line.stream === 'stdout')).toEqual([]);
    expect(await container.text()).toContain('/var/lib/gsup');
  });
});

/** Names of everything below a process of the container, zombies marked; seen from outside, so that nobody is woken. */
async function descendants(pid: number): Promise<string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const names: string[] = [];
  for (const child of children.split(' ').filter((word) => word !== '')) {
    const stat = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) continue;
    const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
    names.push(state === 'Z' ? `${comm} (zombie)` : comm, ...(await descendants(Number(child))));
  }
  return names;
}

async function switches(pid: number): Promise<string | undefined> {
  return /voluntary_ctxt_switches:\s*(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
}
