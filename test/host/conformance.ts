import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Launch, Order, OrderRung, RunSnapshot } from '../../src/supervisor/vocabulary.ts';
import type { World } from './world.ts';

/** How to make a host of one kind, and what it can do. */
export interface HostKind {
  readonly name: string;
  open(): Promise<World>;
  /** Its pids are those that are seen from here. */
  readonly samePids: boolean;
  readonly can: {
    readonly keepOrphans: boolean;
    readonly setLimits: boolean;
    readonly tellUsage: boolean;
    readonly tellSender: boolean;
    readonly exitWithCode: boolean;
  };
}

const SIGINT = 2;
const SIGKILL = 9;
const SIGUSR1 = 10;
const SIGTERM = 15;
const ENOENT = 2;
const EACCES = 13;
const E2BIG = 7;

const plain: Launch = {
  argv: ['true'],
  noNewPrivs: false,
  clearEnv: false,
  envSet: {},
  envUnset: [],
  limits: [],
  terminal: false,
  stdinNull: true,
  notify: false,
  startTimeoutMs: 10_000,
};

const sh = (script: string, more: Partial<Launch> = {}): Launch => ({
  ...plain,
  ...more,
  argv: ['/bin/sh', '-c', script],
});

const term = (waitMs: number | null, more: Partial<OrderRung> = {}): OrderRung => ({
  signal: SIGTERM,
  target: 'group',
  hook: false,
  waitMs,
  ...more,
});

const calm = (...rungs: OrderRung[]): Order => ({
  level: 0,
  mustDrain: false,
  capMs: null,
  index: null,
  deadlineNs: null,
  rungs: rungs.length > 0 ? rungs : [term(null)],
});

const after = (ms: number): bigint => process.hrtime.bigint() + BigInt(ms) * 1_000_000n;

const at = (order: Order, index: number, deadlineNs: bigint | null = null): Order => ({
  ...order,
  index,
  deadlineNs,
});

/** A command that says that it is there, and then does what it is told by signals. */
const waits = (traps: string): string => `${traps}; echo ready; while :; do sleep 0.05; done`;

/** The cases that every host passes, one list. */
export function testHost(kind: HostKind): void {
  const worlds: World[] = [];
  const open = async (): Promise<World> => {
    const world = await kind.open();
    worlds.push(world);
    await world.until('the first sync', () => world.news.some((item) => item.kind === 'sync'));
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });

  const ended = (world: World, key: number): Promise<RunSnapshot> =>
    world.until(`the end of run ${key}`, () => {
      const run = world.run(key);
      return run?.phase === 'ended' && run;
    });
  const says = (world: World, line: string): Promise<true> =>
    world.until(`"${line}"`, () => world.lines.includes(line));
  const count = (world: World, line: string): number => world.lines.filter((each) => each === line).length;
  const title = (what: string): string => `${kind.name} host: ${what}`;

  test(title('begins with hello, and ends its first picture with sync'), async () => {
    const world = await open();
    expect(world.news[0]).toMatchObject({ kind: 'hello', hello: { version: 1, restarts: 0, lastNumber: 0 } });
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

  test(title('signals the group, or the leader alone'), async () => {
    const world = await open();
    const child = `(${waits('trap "echo child" USR1')}) &`;
    world.host.spawn(1, 'a#1', sh(`${child} ${waits('trap "echo leader" USR1')}`), calm());
    await world.until('two that are ready', () => count(world, 'ready') === 2);
    world.host.signal(2, 1, SIGUSR1, 'leader');
    await says(world, 'leader');
    world.host.signal(3, 1, SIGUSR1, 'group');
    await says(world, 'child');
    await world.until('the leader again', () => count(world, 'leader') === 2);
    expect(world.lines.filter((line) => line === 'child')).toHaveLength(1);
    world.host.signal(4, 1, SIGKILL, 'group');
    expect(await ended(world, 1)).toMatchObject({ signal: SIGKILL, forced: false });
  });

  test(title('a signal to the tree reaches who left the group'), async () => {
    const world = await open();
    const child = `setsid /bin/sh -c '${waits('trap "echo escaped; exit" USR1')}' &`;
    world.host.spawn(1, 'a#1', sh(`${child} ${waits('trap "echo leader" USR1')}`), calm());
    await world.until('two that are ready', () => count(world, 'ready') === 2);
    world.host.signal(2, 1, SIGUSR1, 'tree');
    await says(world, 'escaped');
    await says(world, 'leader');
    world.host.signal(3, 1, SIGKILL, 'tree');
    await ended(world, 1);
  });

  test(title('a run ends when its tree is empty, not when its leader exits'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh(`(${waits('trap "exit 0" TERM')}) & sleep 0.1; exit 3`), calm());
    const left = await world.until('the end of the leader', () => {
      const run = world.run(1);
      return run?.leaderExited && run;
    });
    expect(left).toMatchObject({ phase: 'running', code: 3, stragglers: expect.any(Number) });
    expect(left.stragglers).toBeGreaterThan(0);
    const order = calm(term(60_000));
    world.host.rung(2, 1, at(order, 0, after(60_000)));
    const run = await ended(world, 1);
    expect(run).toMatchObject({ code: 3, forced: false });
    expect(run.endedNs).toBeGreaterThan(run.leaderExitedNs);
  });

  test(title('a rung sends its signal and tells where the stop stands'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh(waits('trap "echo asked" TERM; trap "exit 5" USR1')), calm());
    await says(world, 'ready');
    const order = calm(term(null), { ...term(null), signal: SIGUSR1 });
    world.host.rung(2, 1, at(order, 0));
    await says(world, 'asked');
    const standing = await world.until('a stop', () => {
      const run = world.run(1);
      return run?.phase === 'stopping' && run;
    });
    expect(standing).toMatchObject({ rung: 0, deadlineNs: null, forced: false, alone: false });
    expect(standing.stopNs).toBeGreaterThan(0n);
    world.host.rung(3, 1, at(order, 1));
    expect(await ended(world, 1)).toMatchObject({ rung: 1, code: 5, forced: false, stopNs: standing.stopNs });
  });

  test(title('what a handler starts to clean up with does not get the signal'), async () => {
    const world = await open();
    // The leader exits when the clean-up of its child has begun, by a process that became `sleep` in its handler.
    const flag = join(world.dir, 'flag');
    const child = `(${waits(`trap 'echo cleaning; (: >${flag}; exec sleep 0.3) && echo cleaned; exit' TERM`)}) &`;
    const leader = waits(`trap 'until [ -e ${flag} ]; do sleep 0.01; done; exit 3' TERM`);
    world.host.spawn(1, 'a#1', sh(`${child} ${leader}`), calm());
    await world.until('two that are ready', () => count(world, 'ready') === 2);
    world.host.rung(2, 1, at(calm(term(null)), 0));
    expect(await ended(world, 1)).toMatchObject({ code: 3, forced: false });
    expect(world.lines).toEqual(['ready', 'ready', 'cleaning', 'cleaned']);
  });

  test(title('what escaped the group gets the signal when the leader has gone'), async () => {
    const world = await open();
    const child = `setsid /bin/sh -c '${waits('trap "echo escaped; exit" TERM')}' &`;
    world.host.spawn(1, 'a#1', sh(`${child} ${waits('trap "exit 0" TERM')}`), calm());
    await world.until('two that are ready', () => count(world, 'ready') === 2);
    world.host.rung(2, 1, at(calm(term(null)), 0));
    expect(await ended(world, 1)).toMatchObject({ code: 0, forced: false });
    expect(world.lines).toContain('escaped');
  });

  test(title('goes on alone when a deadline has passed and nobody says more'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh(waits("trap '' TERM")), calm());
    await says(world, 'ready');
    const deadlineNs = after(200);
    world.host.rung(2, 1, at(calm(term(200)), 0, deadlineNs));
    const run = await ended(world, 1);
    expect(run).toMatchObject({ signal: SIGKILL, forced: true, alone: true, rung: 1 });
    expect(run.leaderExitedNs).toBeGreaterThanOrEqual(deadlineNs);
  });

  test(title('a newer rung replaces the one that was waited for'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh(waits("trap '' TERM; trap 'exit 6' USR1")), calm());
    await says(world, 'ready');
    const order = calm(term(100), term(null));
    world.host.rung(2, 1, at(order, 0, after(100)));
    world.host.rung(3, 1, at(order, 1));
    await world.until('rung 1', () => world.run(1)?.rung === 1);
    // Far beyond the first deadline, by the host's own clock: what this other command takes.
    world.host.spawn(4, 'b#1', sh('sleep 0.6'), calm());
    await ended(world, 4);
    expect(world.run(1)).toMatchObject({ phase: 'stopping', rung: 1, forced: false });
    world.host.signal(5, 1, SIGUSR1, 'leader');
    expect(await ended(world, 1)).toMatchObject({ code: 6, forced: false });
  });

  test(title('the rung after the last one is SIGKILL for the whole tree'), async () => {
    const world = await open();
    const child = `(${waits("trap '' TERM")}) &`;
    world.host.spawn(1, 'a#1', sh(`${child} ${waits("trap '' TERM")}`), calm());
    await world.until('two that are ready', () => count(world, 'ready') === 2);
    world.host.rung(2, 1, at(calm(term(null)), 1));
    expect(await ended(world, 1)).toMatchObject({ signal: SIGKILL, forced: true, alone: false });
  });

  test(title('a stopped command sees the stop signal'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh(waits('trap "exit 4" TERM; echo $$')), calm());
    await says(world, 'ready');
    world.host.signal(2, 1, 19, 'leader');
    // Only where its pid is known here can be seen that it has stopped; elsewhere the signals follow each other.
    const pid = await world.until('its pid', () => world.run(1)?.pid || null);
    if (kind.samePids) {
      while (!/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    world.host.rung(3, 1, at(calm(term(null)), 0));
    expect(await ended(world, 1)).toMatchObject({ code: 4 });
  });

  test(title('carries out a number once'), async () => {
    const world = await open();
    const twice = (request: () => void): void => {
      request();
      request();
    };
    const traps = "n=0; trap 'n=$((n+1)); echo usr1 $n' USR1; trap 'exit 0' TERM";
    twice(() => world.host.spawn(5, 'a#1', sh(waits(traps)), calm()));
    await says(world, 'ready');
    twice(() => world.host.signal(6, 5, SIGUSR1, 'leader'));
    await says(world, 'usr1 1');
    world.host.signal(6, 5, SIGUSR1, 'leader');
    world.host.signal(4, 5, SIGKILL, 'leader');
    world.host.signal(7, 5, SIGUSR1, 'leader');
    await says(world, 'usr1 2');
    world.host.signal(8, 5, SIGTERM, 'leader');
    expect(await ended(world, 5)).toMatchObject({ code: 0 });
    expect(world.lines).toEqual(['ready', 'usr1 1', 'usr1 2']);
  });

  test(title('what is forgotten is gone, and what lives cannot be forgotten'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh(waits('trap "exit 0" TERM')), calm());
    await says(world, 'ready');
    world.host.forget(2, 1);
    world.host.signal(3, 1, SIGTERM, 'group');
    await ended(world, 1);
    world.host.forget(4, 1);
    world.host.signal(5, 1, SIGTERM, 'group');
    world.host.spawn(6, 'a#2', sh('exit 9'), calm());
    expect(await ended(world, 6)).toMatchObject({ code: 9 });
  });

  test(title('serves several runs at once'), async () => {
    const world = await open();
    for (let n = 1; n <= 20; n++) world.host.spawn(n, `a.${n}#1`, sh(`exit ${n}`), calm());
    for (let n = 1; n <= 20; n++) expect(await ended(world, n)).toMatchObject({ name: `a.${n}#1`, code: n });
  });

  test(title('tells that a stop was asked for, and by which signal'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh(waits('trap "exit 8" INT; trap "exit 9" TERM')), calm());
    await says(world, 'ready');
    process.kill(world.pid, 'SIGINT');
    const asks = await world.until('an ask', () => {
      const item = world.news.findLast((news) => news.kind === 'asks');
      return item?.kind === 'asks' && item.asks.count > 0 && item.asks;
    });
    expect(asks).toMatchObject({ count: 1, signal: SIGINT });
    expect(asks.firstNs).toBeGreaterThan(0n);
    if (kind.can.tellSender && kind.samePids) expect(asks.pid).toBe(process.pid);
    world.host.rung(2, 1, at(calm(term(null, { signal: asks.signal })), 0));
    expect(await ended(world, 1)).toMatchObject({ code: 8 });
  });

  test(title('forwards what is no stop signal, and rewrites it first'), async () => {
    const world = await open();
    world.host.spawn(
      1,
      'a#1',
      sh(waits('trap "echo hup" HUP; trap "echo usr1" USR1; trap "exit 0" TERM')),
      calm(),
    );
    await says(world, 'ready');
    process.kill(world.pid, 'SIGHUP');
    await says(world, 'hup');
    process.kill(world.pid, 'SIGUSR2');
    await says(world, 'usr1');
    expect(world.news.some((item) => item.kind === 'asks' && item.asks.count > 0)).toBe(false);
    world.host.signal(2, 1, SIGTERM, 'group');
    expect(await ended(world, 1)).toMatchObject({ code: 0 });
  });

  test(title('leaves when every tree is empty, not before'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh(waits('trap "sleep 0.2; echo bye; exit 0" TERM')), calm());
    await says(world, 'ready');
    world.host.exit(2, 5);
    world.host.signal(3, 1, SIGTERM, 'group');
    const end = await world.until('the end', () => world.ended);
    expect(world.lines).toEqual(['ready', 'bye']);
    expect(world.news.at(-1)).toMatchObject({ kind: 'closed' });
    expect(end).toMatchObject({ alive: 0 });
    if (kind.can.keepOrphans) expect(end).toMatchObject({ zombies: 0, escaped: 0 });
    if (kind.can.exitWithCode) expect(end.code).toBe(5);
  });

  test.runIf(kind.can.keepOrphans)(
    title('a daemon that left everything behind still belongs to the tree'),
    async () => {
      const world = await open();
      const daemon = `setsid /bin/sh -c '${waits('trap "echo daemon-ends; exit" TERM')}' &`;
      world.host.spawn(
        1,
        'a#1',
        sh(`setsid /bin/sh -c "$DAEMON" & wait $!; exit 2`, { envSet: { DAEMON: daemon } }),
        calm(),
      );
      await says(world, 'ready');
      const left = await world.until('the end of the leader', () => {
        const run = world.run(1);
        return run?.leaderExited && run;
      });
      expect(left).toMatchObject({ code: 2, stragglers: expect.any(Number) });
      world.host.rung(2, 1, at(calm(term(60_000)), 0, after(60_000)));
      expect(await ended(world, 1)).toMatchObject({ code: 2, forced: false });
      expect(world.lines).toContain('daemon-ends');
    },
  );

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
