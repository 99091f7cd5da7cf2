/** A complete config, written as a config file that means the same. Pure but for the library that writes YAML. */
import { stringify } from 'yaml';
import { signalName } from '../signals/names.ts';
import type { HealthPlan, PreStartPlan, ReadyPlan } from '../supervisor/plan.ts';
import type { Command, Ladder, Launch, Output, Rung } from '../supervisor/vocabulary.ts';
import { formatDuration } from './duration.ts';
import { formatSize } from './size.ts';
import type { ProcessConfig, UpConfig } from './up-config.ts';

type Written = Record<string, unknown>;

export function printConfig(config: UpConfig): string {
  const written = {
    name: config.name,
    ...when(config.main !== null, { main: config.main }),
    ...when(config.stopBudgetMs !== null, { stop_budget: formatDuration(config.stopBudgetMs) }),
    max_failures: config.maxFailures,
    max_concurrency: config.maxConcurrency,
    finalization_wait: formatDuration(config.finalizationWaitMs),
    exit_when: config.exitWhen,
    processes: Object.fromEntries(config.processes.map((process) => [process.name, processWritten(process)])),
  };
  return stringify(written, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Nothing in it is a variable any more. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function when(said: boolean, written: Written): Written {
  return said ? written : {};
}

function processWritten(process: ProcessConfig): Written {
  const { launch, restart, replicas } = process;
  return {
    command: commandWritten(commandOf(launch.argv)),
    ...launchWritten(launch),
    ...when(replicas !== null, { replicas }),
    depends_on: Object.fromEntries(process.dependsOn.map(({ on, condition }) => [on, { condition }])),
    ...when(process.ready !== null, { ready: readyWritten(process.ready) }),
    ...when(process.health !== null || process.watchdogMs !== null, {
      healthcheck: { ...healthWritten(process.health), ...watchdogWritten(process.watchdogMs) },
    }),
    restart: restart.policy,
    max_failures: restart.maxFailures,
    min_duration: formatDuration(restart.minDurationMs),
    backoff: {
      initial: formatDuration(restart.backoff.initialMs),
      factor: restart.backoff.factor,
      max: formatDuration(restart.backoff.maxMs),
      jitter: `${Math.round(restart.backoff.jitter * 1e8) / 1e6}%`,
      reset_after: formatDuration(restart.backoff.resetAfterMs),
    },
    daemon: process.daemon,
    ephemeral: process.role === 'ephemeral',
    final: process.role === 'final',
    autostart: process.autostart,
    success_exit_codes: process.successCodes,
    stop: stopWritten(process),
    ...when(process.onSignal.length > 0, { on_signal: signalsWritten(process.onSignal) }),
    ...when(process.memoryLimitBytes !== null, { memory_limit: formatSize(process.memoryLimitBytes ?? 0) }),
    ...preStartWritten(process.preStart),
    logging: loggingWritten(launch.output),
  };
}

function commandOf(argv: readonly string[]): Command {
  const [shell, flag, text = ''] = argv;
  return shell === '/bin/sh' && flag === '-c' && argv.length === 3 && text !== ''
    ? { shell: text }
    : { exec: argv };
}

function commandWritten(command: Command | null): unknown {
  if (command === null) return null;
  return 'shell' in command ? literal(command.shell) : command.exec.map(literal);
}

function launchWritten(launch: Launch): Written {
  const limits = launch.limits.map(({ resource, soft, hard }) => [
    resource,
    { soft: soft ?? 'unlimited', hard: hard ?? 'unlimited' },
  ]);
  const environment = Object.entries(launch.envSet).map(([key, value]) => [key, literal(value)]);
  return {
    environment: Object.fromEntries(environment),
    clear_env: launch.clearEnv,
    ...when(launch.cwd !== undefined, { working_dir: literal(launch.cwd ?? '') }),
    ...when(launch.user !== undefined, { user: literal(launch.user ?? '') }),
    ...when(launch.group !== undefined, { group: literal(launch.group ?? '') }),
    ...when(launch.umask !== undefined, { umask: launch.umask?.toString(8).padStart(3, '0') }),
    ...when(limits.length > 0, { ulimits: Object.fromEntries(limits) }),
    ...when(launch.nice !== undefined, { nice: launch.nice }),
    ...when(launch.oomScoreAdj !== undefined, { oom_score_adj: launch.oomScoreAdj }),
    no_new_privileges: launch.noNewPrivs,
    tty: launch.tty ?? false,
    stdin: launch.stdinNull ? 'none' : 'inherit',
    start_timeout: formatDuration(launch.startTimeoutMs),
  };
}

function preStartWritten(preStart: PreStartPlan | null): Written {
  if (preStart === null) return {};
  const { command, timeoutMs } = preStart;
  return { pre_start: commandWritten(command), pre_start_timeout: formatDuration(timeoutMs) };
}

function readyWritten(ready: ReadyPlan | null): Written {
  if (ready === null) return {};
  const timeout = formatDuration(ready.timeoutMs);
  switch (ready.probe.kind) {
    case 'notify':
      return { notify: true, timeout };
    case 'fd':
      return { fd: ready.probe.fd, timeout };
    case 'log':
      return { log: literal(ready.probe.pattern), timeout };
    default:
      return { ...probeWritten(ready.probe), timeout };
  }
}

function probeWritten(probe: HealthPlan['probe']): Written {
  switch (probe.kind) {
    case 'exec':
      return { exec: commandWritten(probe.command) };
    case 'http':
      return { http: literal(probe.url) };
    case 'tcp':
      return { tcp: `${probe.host.includes(':') ? `[${probe.host}]` : literal(probe.host)}:${probe.port}` };
  }
}

function healthWritten(health: HealthPlan | null): Written {
  if (health === null) return {};
  return {
    ...probeWritten(health.probe),
    interval: formatDuration(health.intervalMs),
    timeout: formatDuration(health.timeoutMs),
    retries: health.retries,
    start_period: formatDuration(health.startPeriodMs),
    start_interval: formatDuration(health.startIntervalMs),
    on_unhealthy: health.onUnhealthy,
  };
}

function watchdogWritten(watchdogMs: number | null): Written {
  return when(watchdogMs !== null, { watchdog: formatDuration(watchdogMs) });
}

function stopWritten({ ladder, waits, mustDrain, postStop }: ProcessConfig): Written {
  return {
    ...keysOfLadder(ladder.filter(({ action }) => waits === 'grace' || action === 'busy')),
    ...when(waits === 'rung', {
      ladder: ladder.flatMap((rung) => (rung.action === 'busy' ? [] : [rungWritten(rung)])),
    }),
    ...when(postStop !== null, { post_stop: commandWritten(postStop) }),
    must_drain: mustDrain !== null,
    ...when(mustDrain !== null, { retry: formatDuration(mustDrain?.retryMs ?? 0) }),
  };
}

/** What `buildLadder` makes the ladder of. */
function keysOfLadder(ladder: Ladder): Written {
  return Object.assign({}, ...ladder.map(keysOfRung));
}

function keysOfRung(rung: Rung): Written {
  switch (rung.action) {
    case 'wait':
      return { hold: formatDuration(rung.waitMs) };
    case 'exec':
      return { pre_stop: commandWritten(rung.command), pre_stop_timeout: formatDuration(rung.waitMs) };
    case 'busy':
      return { busy: commandWritten(rung.command) };
    case 'http_post':
      return {};
    case 'signal': {
      const signal = rung.signal === 'received' ? {} : { signal: signalName(rung.signal) };
      return { ...signal, target: rung.target, grace: formatDuration(rung.waitMs) };
    }
  }
}

function rungWritten(rung: Exclude<Rung, { action: 'busy' }>): Written {
  const wait = formatDuration(rung.waitMs);
  switch (rung.action) {
    case 'wait':
      return { wait };
    case 'exec':
      return { exec: commandWritten(rung.command), wait };
    case 'http_post':
      return { http_post: literal(rung.url), wait };
    case 'signal':
      // A rung of a ladder that was written has a signal of its own.
      return { signal: signalName(Number(rung.signal)), target: rung.target, wait };
  }
}

function signalsWritten(signals: ProcessConfig['onSignal']): Written {
  return Object.fromEntries(
    signals.map(([from, to]) => [signalName(from), to === 0 ? 'drop' : signalName(to)]),
  );
}

function loggingWritten(output: Output | undefined): Written {
  if (output === undefined) return {};
  if (output.driver !== 'file') return { ...output };
  return {
    driver: 'file',
    path: literal(output.path),
    max_size: formatSize(output.maxBytes),
    max_files: output.maxFiles,
    timestamps: output.timestamps,
  };
}
