import type { Gsup } from '../support/gsup.ts';
import { until } from '../support/until.ts';
import type { Case } from './peer.ts';

/** Those that `reports-signals` reports, and that no init takes for itself. ALRM ends it; TERM is the last. */
export const STANDARD = [1, 2, 3, 10, 12, 13, 18, 20, 23, 24, 25, 26, 27, 28, 29, 30];
/** Without those that the C libraries keep for themselves. */
export const REAL_TIME = Array.from({ length: 64 - 35 + 1 }, (_, i) => 35 + i);

/** One after the other, each when the one before was heard; `silent` are not heard, and lower than the first that is: the kernel hands out the lowest. Then TERM. */
export async function signalEach(
  init: Gsup,
  signals: readonly number[],
  silent: readonly number[] = [],
): Promise<void> {
  await init.ready();
  for (const signal of silent) init.signal(signal);
  for (const [at, signal] of signals.entries()) {
    init.signal(signal);
    await until(`signal ${signal}`, () => init.stdout.lines(/^got /).length > at);
  }
  init.signal('SIGTERM');
}

/**
 * A leader that says `leader` at USR1, and somebody else in its group that says it too when it gets it. Told twice, so that who has not
 * spoken by then was not told. Then the init is killed: what a stop does is not the question here.
 */
export function aGroup(
  options: readonly string[],
  reporter: string,
  hears: boolean,
): Pick<Case, 'words' | 'meanwhile'> {
  const leader = '"$0" & trap "echo leader" USR1; echo leader ready; while :; do wait; done';
  return {
    words: [...options, 'sh', '-c', leader, reporter],
    meanwhile: async (init) => {
      await init.ready();
      await init.stdout.line(/^leader ready/);
      for (const times of [1, 2]) {
        init.signal('SIGUSR1');
        await until('the leader', () => init.stdout.lines(/^leader$/).length >= times);
        if (hears) await until('the other', () => init.stdout.lines(/^got SIGUSR1/).length >= times);
      }
      init.signal('SIGKILL');
    },
  };
}
