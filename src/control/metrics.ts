/** What happened and what is, in the text format of Prometheus. Its library is loaded by the first scrape. */
import type { LogName } from '../checkpoint/merge.ts';
import type { CheckpointRecord } from '../checkpoint/record.ts';
import type { Counts } from '../host/host.ts';
import type { ProcessStatus, Status } from '../report/status.ts';
import { processName } from '../supervisor/names.ts';
import { createCounted } from './counted.ts';
import { BEGIN, type Feed, type Position } from './feed.ts';
import { STREAM_BATCH } from './limits.ts';

export interface Metrics {
  readonly type: string;
  /** Of the log up to now, of this status, and of what init has counted; null: what it has counted last. */
  render(status: Status, counts: Counts | null): Promise<string>;
}

/** From what nobody notices to what no orchestrator waits for. */
const STOP_BUCKETS_S = [0.1, 0.5, 1, 2, 5, 8, 10, 15, 30, 60, 120, 300];
const US_PER_S = 1_000_000;

/** `sizes`: of the logs' files, in bytes. */
export async function createMetrics(
  feed: Pick<Feed, 'after'>,
  sizes: () => Readonly<Record<LogName, number>>,
): Promise<Metrics> {
  const { default: prom } = await import('prom-client');
  const { Counter, Gauge, Histogram, Registry } = prom;
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers });

  const supervisors = counter('gsup_supervisor_starts_total', 'Supervisors that have begun', []);
  const starts = counter('gsup_runs_started_total', 'Runs that have been started', ['process']);
  const restarts = counter('gsup_runs_restarted_total', 'Runs that followed an earlier one', ['process']);
  const ends = counter('gsup_runs_ended_total', 'Runs that have ended, by outcome and cause', [
    'process',
    'outcome',
    'cause',
  ]);
  const forced = counter('gsup_runs_forced_total', 'Runs that had to be ended with SIGKILL', ['process']);
  const cpu = counter('gsup_ended_runs_cpu_seconds_total', 'Processor time of runs that have ended', [
    'process',
    'mode',
  ]);
  const stops = new Histogram({
    name: 'gsup_stop_duration_seconds',
    help: 'From the first rung of a stop to the end of its tree',
    labelNames: ['process'] as const,
    buckets: STOP_BUCKETS_S,
    registers,
  });
  const logs = gauge('gsup_log_size_bytes', 'Size of the checkpoint log, of each of its two files', ['log']);
  const task = gauge('gsup_task_info', 'The task; always 1', ['task', 'state']);
  const gauges = {
    up: gauge('gsup_process_up', '1 while a run of it lives', ['process']),
    ready: gauge('gsup_process_ready', '1 when it has said that it is ready', ['process']),
    wanted: gauge('gsup_process_wanted', '1 when it is to be up', ['process']),
    healthy: gauge('gsup_process_healthy', '0 when its health check has failed; absent without one', [
      'process',
    ]),
    failures: gauge('gsup_process_failures', 'Failed runs that count towards max_failures', ['process']),
    cpu: gauge('gsup_process_cpu_ratio', 'Processors that its tree uses', ['process']),
    memory: gauge('gsup_process_resident_memory_bytes', 'Resident memory of its tree', ['process']),
    left: gauge(
      'gsup_process_stop_left_seconds',
      'Until its stop goes on to the next rung; absent without one',
      ['process'],
    ),
  };
  const showCounts = createCounted(prom, registry);
  const stopping = new Map<string, bigint>();
  let position: Position = BEGIN;

  const learn = (record: CheckpointRecord): void => {
    switch (record.type) {
      case 'supervisor-started':
        supervisors.inc();
        break;
      case 'run-started':
        if (!isHook(record.run)) started(record.run);
        break;
      case 'rung':
        if (!stopping.has(record.run)) stopping.set(record.run, record.mono_ns);
        break;
      case 'run-ended':
        if (!isHook(record.run)) ended(record);
        stopping.delete(record.run);
        break;
      case 'outcome':
        ends.inc({ process: record.process, outcome: record.outcome, cause: record.cause });
        break;
    }
  };

  const started = (run: string): void => {
    const process = processName(run);
    starts.inc({ process });
    // From 0 on: what Prometheus first sees as 1 has not increased for it.
    restarts.inc({ process }, run.endsWith('#1') ? 0 : 1);
    forced.inc({ process }, 0);
  };

  const ended = (record: Extract<CheckpointRecord, { type: 'run-ended' }>): void => {
    const process = processName(record.run);
    const began = stopping.get(record.run);
    if (began !== undefined) stops.observe({ process }, Number(record.mono_ns - began) / 1e9);
    if (record.forced) forced.inc({ process });
    if (record.rusage == null) return;
    cpu.inc({ process, mode: 'user' }, record.rusage.user_us / US_PER_S);
    cpu.inc({ process, mode: 'system' }, record.rusage.sys_us / US_PER_S);
  };

  const show = (each: ProcessStatus): void => {
    const { name: process, pid, ready, want, health, failures, stop } = each;
    const { cpu_pct: percent, rss_bytes: bytes } = each;
    gauges.up.set({ process }, pid === null ? 0 : 1);
    gauges.ready.set({ process }, ready ? 1 : 0);
    gauges.wanted.set({ process }, want === 'up' ? 1 : 0);
    gauges.failures.set({ process }, failures);
    if (health !== null) gauges.healthy.set({ process }, health === 'unhealthy' ? 0 : 1);
    if (percent !== null) gauges.cpu.set({ process }, percent / 100);
    if (bytes !== null) gauges.memory.set({ process }, bytes);
    if (stop?.left_ms != null) gauges.left.set({ process }, stop.left_ms / 1000);
  };

  return {
    type: registry.contentType,
    async render(status, counts) {
      for (
        let some = feed.after(position, STREAM_BATCH);
        some.length > 0;
        some = feed.after(position, STREAM_BATCH)
      )
        for (const { log, record } of some) {
          learn(record);
          position = { ...position, [log]: record.seq };
        }
      // What is not there any more is not shown.
      for (const each of [task, ...Object.values(gauges)]) each.reset();
      task.set({ task: status.task.name ?? '', state: status.task.state ?? '' }, 1);
      for (const [log, size] of Object.entries(sizes())) logs.set({ log }, size);
      for (const each of status.processes) show(each);
      showCounts(counts);
      return registry.metrics();
    },
  };
}

function isHook(run: string): boolean {
  return run.includes('/');
}
