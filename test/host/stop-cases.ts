import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  after,
  at,
  calm,
  type HostKind,
  SIGINT,
  SIGKILL,
  SIGTERM,
  SIGUSR1,
  sh,
  type Tools,
  term,
  waits,
} from './cases.ts';

/** Signals, rungs, numbers and the end. */
export function testStops(kind: HostKind, tools: Tools): void {
  const { open, ended, says, count, title } = tools;

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
}
