import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROTOCOL_VERSION } from '../../src/host/protocol.ts';
import { calm, E2BIG, EACCES, ENOENT, type HostKind, plain, sh, type Tools } from './cases.ts';

/** How a command is started, and what is told of it. */
export function testStarts(kind: HostKind, tools: Tools): void {
  const { open, ended, title } = tools;

  test(title('begins with hello, and ends its first picture with sync'), async () => {
    const world = await open();
    expect(world.news[0]).toMatchObject({
      kind: 'hello',
      hello: { version: PROTOCOL_VERSION, restarts: 0, lastNumber: 0 },
    });
    const first = world.news.slice(
      0,
      world.news.findIndex(({ kind }) => kind === 'sync'),
    );
    expect(first.filter(({ kind }) => kind === 'run')).toEqual([]);
  });

  test(title('starts a command and tells its exit code'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh('echo started; exit 7'), calm());
    const run = await ended(world, 1);
    expect(run).toMatchObject({
      key: 1,
      name: 'a#1',
      code: 7,
      signal: null,
      startFailure: null,
      forced: false,
    });
    expect(world.lines).toEqual(['started']);
    const times = [run.forkedNs, run.startedNs, run.leaderExitedNs, run.endedNs];
    expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
    expect(times[0]).toBeGreaterThan(0n);
  });

  test(title('tells the signal that a command died of'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh('kill -SEGV $$'), calm());
    expect(await ended(world, 1)).toMatchObject({ code: null, signal: 11, forced: false });
  });

  test.each([
    ['a path that does not exist', '/nonexistent/command', ENOENT],
    ['a name that is not in PATH', 'gsup-no-such-command', ENOENT],
    ['a file that is not executable', '/etc/passwd', EACCES],
    ['a directory', '/tmp', EACCES],
  ])(title('says at which stage and why %s cannot be started'), async (_, file, errno) => {
    const world = await open();
    world.host.spawn(1, 'a#1', { ...plain, argv: [file] }, calm());
    expect(await ended(world, 1)).toMatchObject({ startFailure: { stage: 'exec', errno }, signal: null });
    world.host.spawn(2, 'a#2', sh('exit 0'), calm());
    expect(await ended(world, 2)).toMatchObject({ startFailure: null, code: 0 });
  });

  test(title('says that the working directory is missing'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh('exit 0', { cwd: '/nonexistent' }), calm());
    expect(await ended(world, 1)).toMatchObject({ startFailure: { stage: 'cwd', errno: ENOENT } });
  });

  test(title('says that a command line is too long'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', { ...plain, argv: ['true', ...Array(300).fill('x'.repeat(10_000))] }, calm());
    expect(await ended(world, 1)).toMatchObject({ startFailure: { stage: 'exec', errno: E2BIG } });
  });

  test(title('changes the environment as it is told'), async () => {
    const world = await open();
    const script = 'test "$B" || B=none; echo "$GSUP_TEST_INHERITED-$A-$B"';
    world.host.spawn(1, 'a#1', sh(script, { envSet: { A: 'x=y z' }, envUnset: ['B'] }), calm());
    await ended(world, 1);
    world.host.spawn(2, 'a#2', sh(script, { envUnset: ['GSUP_TEST_INHERITED'] }), calm());
    await ended(world, 2);
    world.host.spawn(3, 'a#3', sh(script, { clearEnv: true, envSet: { A: '1', B: 'b' } }), calm());
    await ended(world, 3);
    expect(world.lines).toEqual(['yes-x=y z-none', '--none', '-1-b']);
  });

  test(title('sets working directory, umask and an empty standard input'), async () => {
    const world = await open();
    const more = { cwd: '/usr/bin', umask: 0o27, stdinNull: true };
    world.host.spawn(1, 'a#1', sh('pwd; umask; read x || echo end-of-file', more), calm());
    expect(await ended(world, 1)).toMatchObject({ code: 0 });
    expect(world.lines).toEqual(['/usr/bin', '0027', 'end-of-file']);
  });

  test(title('gives a command a session and a group of its own'), async () => {
    const world = await open();
    world.host.spawn(
      1,
      'a#1',
      sh('read -r _ _ _ _ group session _ < /proc/$$/stat; echo $$ $group $session'),
      calm(),
    );
    await ended(world, 1);
    const [pid, group, session] = (world.lines[0] ?? '').split(' ');
    expect([group, session]).toEqual([pid, pid]);
    expect(world.run(1)?.pid).toBe(Number(pid));
  });

  test(title('no descriptor of its own is open in a command'), async () => {
    const world = await open();
    const script = 'for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; done';
    world.host.spawn(1, 'a#1', sh(script), calm());
    await ended(world, 1);
    expect(world.lines).toEqual(['0', '1', '2']);
  });

  test(title('serves several runs at once'), async () => {
    const world = await open();
    for (let n = 1; n <= 20; n++) world.host.spawn(n, `a.${n}#1`, sh(`exit ${n}`), calm());
    for (let n = 1; n <= 20; n++) expect(await ended(world, n)).toMatchObject({ name: `a.${n}#1`, code: n });
  });

  test.runIf(kind.can.setLimits)(title('sets limits, nice and oom_score_adj'), async () => {
    const world = await open();
    const more = { nice: 3, oomScoreAdj: 500, limits: [{ resource: 'nofile', soft: 64, hard: 128 }] };
    const script = 'ulimit -Sn; ulimit -Hn; nice; cat /proc/self/oom_score_adj';
    world.host.spawn(1, 'a#1', sh(script, more), calm());
    expect(await ended(world, 1)).toMatchObject({ code: 0 });
    expect(world.lines).toEqual(['64', '128', '3', '500']);
  });

  test.runIf(!kind.can.setLimits)(title('refuses what it cannot set'), async () => {
    const world = await open();
    const limits = [{ resource: 'nofile', soft: 64, hard: 64 }];
    world.host.spawn(1, 'a#1', sh('echo started', { limits }), calm());
    expect((await ended(world, 1)).startFailure).not.toBeNull();
    expect(world.lines).toEqual([]);
  });

  test.runIf(kind.can.tellUsage)(title('tells what a run has used'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh('i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'), calm());
    const run = await ended(world, 1);
    expect(run.leaderUsage.maxRssKb).toBeGreaterThan(100);
    expect(run.leaderUsage.userUs + run.leaderUsage.sysUs).toBeGreaterThan(0);
    expect(run.treeUsage.userUs).toBeGreaterThanOrEqual(run.leaderUsage.userUs);
  });

  test(title('a script whose interpreter is missing is a failed start'), async () => {
    const world = await open();
    const script = join(world.dir, 'script');
    writeFileSync(script, '#!/nonexistent/interpreter\n');
    chmodSync(script, 0o755);
    world.host.spawn(1, 'a#1', { ...plain, argv: [script] }, calm());
    expect(await ended(world, 1)).toMatchObject({ startFailure: { stage: 'exec', errno: ENOENT } });
  });
}
