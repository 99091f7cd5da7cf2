import { signalNumber } from '../signals/names.ts';
import type { Asks } from '../supervisor/vocabulary.ts';
import type { Clock } from './host.ts';

/** npm, shells and terminals double signals: what comes this soon after a stop signal is the same request. */
const SAME_REQUEST_NS = 250_000_000n;

/**
 * What Node can listen for. Not those that say that gsup itself is broken (SEGV and its like), those of job control,
 * and those that cannot be caught.
 */
const CATCHABLE = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGURG',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGVTALRM',
  'SIGWINCH',
  'SIGIO',
  'SIGPWR',
] as const satisfies readonly NodeJS.Signals[];

export interface SignalPolicy {
  readonly stopOn: ReadonlySet<number>;
  /** To 0: dropped. */
  readonly rewrite: ReadonlyMap<number, number>;
}

/** What a received signal means: one more ask to stop, or something to forward; null when it is dropped. */
export function judgeSignal(
  signal: number,
  policy: SignalPolicy,
  asks: Asks,
  lastStopNs: bigint,
  nowNs: bigint,
):
  | { readonly kind: 'stop'; readonly asks: Asks }
  | { readonly kind: 'forward'; readonly signal: number }
  | null {
  const meant = policy.rewrite.get(signal) ?? signal;
  if (meant === 0) return null;
  if (!policy.stopOn.has(signal)) return { kind: 'forward', signal: meant };
  // Node does not say who sent it; a doubled one usually has another sender, so that is assumed.
  if (asks.count > 0 && nowNs - lastStopNs < SAME_REQUEST_NS) return null;
  if (asks.count > 0) return { kind: 'stop', asks: { ...asks, count: asks.count + 1 } };
  return { kind: 'stop', asks: { count: 1, signal: meant, pid: 0, uid: 0, firstNs: nowNs } };
}

/** Listen to signals until the returned function is called. */
export function listenToSignals(
  policy: SignalPolicy,
  clock: Clock,
  onAsk: (asks: Asks) => void,
  onForward: (signal: number) => void,
): () => void {
  let asks: Asks = { count: 0, signal: 0, pid: 0, uid: 0, firstNs: 0n };
  let lastStopNs = 0n;
  const listener = (name: NodeJS.Signals): void => {
    const nowNs = clock.nowNs();
    const verdict = judgeSignal(signalNumber(name) ?? 0, policy, asks, lastStopNs, nowNs);
    if (verdict?.kind === 'forward') onForward(verdict.signal);
    if (verdict?.kind !== 'stop') return;
    asks = verdict.asks;
    lastStopNs = nowNs;
    onAsk(asks);
  };
  for (const name of CATCHABLE) process.on(name, listener);
  return () => {
    for (const name of CATCHABLE) process.off(name, listener);
  };
}
