import { expect, test } from 'vitest';
import { calm, sh, type Tools } from './cases.ts';

/** What a command says on its descriptors, and what becomes of it. Only where the native part runs. */
export function testOutput(tools: Tools): void {
  const { open, ended, says, title } = tools;

  test(title('S40 a newline on the ready descriptor says that a command is ready'), async () => {
    const world = await open();
    const script = 'printf almost >&5; echo waits; read x < go; echo >&5; exec sleep 60';
    world.host.spawn(1, 'a#1', sh(`mkfifo go; ${script}`, { readyFd: 5, cwd: world.dir }), calm());
    await says(world, 'waits');
    expect(world.run(1)?.ready).toBe(false);
    world.host.spawn(2, 'b#1', sh('echo now > go', { cwd: world.dir }), calm());
    await world.until('readiness', () => world.run(1)?.ready);
    expect(world.run(1)?.phase).toBe('running');
    world.host.signal(3, 1, 9, 'group');
    await ended(world, 1);
  });

  test(title('S40 an end without a newline does not say so, nor do 4096 bytes without one'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh('printf ready >&3; exec 3>&-; echo closed', { readyFd: 3 }), calm());
    world.host.spawn(2, 'b#1', sh('head -c 5000 /dev/zero >&3; echo >&3', { readyFd: 3 }), calm());
    const runs = [await ended(world, 1), await ended(world, 2)];
    expect(runs.map(({ ready }) => ready)).toEqual([false, false]);
  });

  test(title('S58 the ready descriptor is the only one that a command has besides its own'), async () => {
    const world = await open();
    const script = 'for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/$$/fd/$n ] && echo $n; done';
    world.host.spawn(1, 'a#1', sh(script, { readyFd: 9 }), calm());
    await ended(world, 1);
    expect(world.lines).toEqual(['0', '1', '2', '9']);
  });

  test(title('a ready descriptor beyond the limit is a failed start'), async () => {
    const world = await open();
    const limits = [{ resource: 'nofile', soft: 32, hard: 32 }];
    world.host.spawn(1, 'a#1', sh('echo started', { readyFd: 40, limits }), calm());
    expect((await ended(world, 1)).startFailure).toEqual({ stage: 'output', errno: 9 });
    expect(world.lines).toEqual([]);
  });
}
