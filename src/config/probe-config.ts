/** `ready` and `healthcheck` of a process. */
import type { HealthPlan, Probe, ReadyPlan, ReadyProbe } from '../supervisor/plan.ts';
import type { Findings } from './findings.ts';
import type { ProcessShape, ReadyShape } from './keys.ts';
import type { Path } from './problem.ts';

const READY_WAYS = ['notify', 'fd', 'tcp', 'http', 'exec', 'log'] as const;

export function readyOf(
  shape: ReadyShape | null | undefined,
  path: Path,
  findings: Findings,
): ReadyPlan | null {
  if (shape === null || shape === undefined) return null;
  const ways = READY_WAYS.filter((way) => shape[way] !== undefined);
  const probe = ways.length === 1 ? readyProbe(shape) : undefined;
  if (shape.notify === false)
    findings.refuse([...path, 'notify'], 'true is needed, got "false"', 'leave it out');
  if (ways.length !== 1)
    findings.refuse(path, `one of ${READY_WAYS.join(', ')} is needed, got ${ways.join(' and ') || 'none'}`);
  return probe === undefined ? null : { probe, timeoutMs: shape.timeout };
}

function readyProbe(shape: ReadyShape): ReadyProbe | undefined {
  if (shape.notify) return { kind: 'notify' };
  if (shape.fd !== undefined) return { kind: 'fd', fd: shape.fd };
  return shape.log ?? askedProbe(shape);
}

function askedProbe({ exec, http, tcp }: Pick<ReadyShape, 'exec' | 'http' | 'tcp'>): Probe | undefined {
  if (exec !== undefined) return { kind: 'exec', command: exec };
  return http === undefined ? tcp : { kind: 'http', url: http };
}

export interface HealthPart {
  readonly health: HealthPlan | null;
  readonly watchdogMs: number | null;
}

const HEALTH_WAYS = ['exec', 'http', 'tcp', 'test'] as const;

export function healthOf(shape: ProcessShape['healthcheck'], path: Path, findings: Findings): HealthPart {
  if (shape === undefined) return { health: null, watchdogMs: null };
  const ways = HEALTH_WAYS.filter((way) => shape[way] !== undefined);
  const off = shape.disable || shape.test === null;
  if (ways.length > 1 || (ways.length === 0 && shape.watchdog === undefined && !off))
    findings.refuse(
      path,
      `one of exec, http, tcp and watchdog is needed, got ${ways.join(' and ') || 'none'}`,
    );
  const test: Probe | undefined = shape.test ? { kind: 'exec', command: shape.test } : undefined;
  const probe = test ?? askedProbe(shape);
  if (shape.disable || probe === undefined)
    return { health: null, watchdogMs: off ? null : (shape.watchdog ?? null) };
  return {
    health: {
      probe,
      intervalMs: shape.interval,
      timeoutMs: shape.timeout,
      retries: shape.retries,
      startPeriodMs: shape.start_period,
      startIntervalMs: shape.start_interval,
      onUnhealthy: shape.on_unhealthy,
    },
    watchdogMs: shape.watchdog ?? null,
  };
}
