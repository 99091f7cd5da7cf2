/** One sentence for each record that says something to people; what the sentence before has said is not said again. Pure. */
import type { LogName } from '../checkpoint/merge.ts';
import type { BodyOf, CheckpointRecord, Envelope, RecordType, Rusage } from '../checkpoint/record.ts';
import { durationText } from './duration.ts';
import { errnoText } from './errno.ts';
import { msBetween, runTold, signalKey, type Told, type ToldRun, type Weight } from './history.ts';
import { stopWords } from './stop-words.ts';

export interface Sentence {
  readonly about: string | null;
  readonly weight: Weight;
  readonly text: string;
}

type Teller<T extends RecordType> = (
  told: Told,
  record: Envelope & BodyOf<T>,
  log: LogName,
) => Sentence | null;

/** null: nothing that people would miss. */
export function tellRecord(told: Told, record: CheckpointRecord, log: LogName): Sentence | null {
  if (record.type === 'unknown')
    return say(null, `a record that this gsup does not know: ${record.was}`, 'warn');
  const tell = TELLERS[record.type] as Teller<typeof record.type>;
  return tell(told, record as never, log);
}

const TELLERS: { readonly [T in RecordType]: Teller<T> } = {
  // A plain run that had a visit from a supervisor has one in each log.
  task: (told, { version, pid }) => {
    const again = told.began;
    told.began = true;
    return again ? null : say(null, `began: gsup ${version}, pid ${pid}`);
  },
  'supervisor-started': (told, { pid }) => {
    told.supervisors++;
    return told.supervisors === 1 ? null : say(null, `the supervisor was started again (pid ${pid})`, 'warn');
  },
  // That it was to be started is told when it was, or when it could not be.
  'run-forked': (told, { run }) => {
    told.forked.add(run);
    return null;
  },
  'run-started': (told, { run, pid, mono_ns }) => {
    runTold(told, run).startedNs = mono_ns;
    return say(run, `started, pid ${pid}`);
  },
  'run-ready': (told, { run, mono_ns }) => {
    const { startedNs } = runTold(told, run);
    return say(run, startedNs === null ? 'ready' : `ready ${after(startedNs, mono_ns)}`, 'good');
  },
  'health-changed': (_, { run, health, reason }) =>
    say(run, reason === null ? health : `${health}: ${reason}`, health === 'unhealthy' ? 'warn' : 'plain'),
  'start-requested': (_, { processes, by }) =>
    say(
      processes.length === 1 ? (processes[0] ?? null) : null,
      `start${namesText(processes)}: asked for${byText(by)}`,
    ),
  'restart-requested': (_, { processes, cause, by }) =>
    say(
      processes.length === 1 ? (processes[0] ?? null) : null,
      `restart${namesText(processes)}: ${stopWords[cause]}${byText(by)}`,
    ),
  'stop-requested': tellStop,
  rung: tellRung,
  signal: tellSignal,
  'leader-exited': (told, { run, code, signal }) =>
    told.straggling.has(run) ? say(run, `the command itself ended: ${endText(code, signal)}`) : null,
  stragglers: (_, { run, pids }) => say(run, `its tree lives on: ${pidsText(pids)}`),
  kill: tellKill,
  'run-ended': tellEnd,
  outcome: tellOutcome,
  hook: (_, record) => tellHook(record),
  'signal-requested': (_, { run, signal, target, by }) =>
    say(run, `${signal} for the ${target} asked for${byText(by)}`),
  backoff: (_, { process, wait_ms, failures }) =>
    say(process, `runs again in ${durationText(wait_ms)}${failures > 0 ? ` (failures: ${failures})` : ''}`),
  'task-state': (_, { state, exit_code }) => {
    if (exit_code !== null)
      return say(null, `ended: ${state}, exit code ${exit_code}`, weightOfEnd(state, exit_code));
    return state === 'finalizing' ? say(null, 'everything has ended: final processes begin') : null;
  },
  clearing: () => null,
  budget: (_, { budget_ms }) =>
    say(null, `stop budget: everything is to be over within ${durationText(budget_ms)}`),
  config: (_, record) => say(null, configText(record)),
  order: () => null,
  reload: (_, { result, by }) =>
    result === 'applied'
      ? null
      : say(
          null,
          `reload asked for${byText(by)}: ${RELOADS[result]}`,
          result === 'refused' ? 'warn' : 'plain',
        ),
  oom: (_, { run }) => say(run, 'the kernel killed it for lack of memory', 'bad'),
  upgrade: tellUpgrade,
  unkept: (_, { run, what }) =>
    run === undefined
      ? say(null, `no supervisor was there: ${what} are left out`, 'bad')
      : say(run, `no supervisor was there: ${what} is left out`, 'bad'),
  stranger: (_, { pid, name }) => say(null, `adopted ${nameText(name, pid)}, which belongs to no run`),
  stuck: (_, { run, pids, names }) => say(run ?? null, `cannot be killed: ${whoText(pids, names)}`, 'bad'),
  undelivered: (_, { process, bytes }) =>
    say(process ?? null, `${bytes} bytes of output were not delivered`, 'bad'),
  gap: (_, record) => tellGap(record),
};

function tellStop(told: Told, record: Envelope & BodyOf<'stop-requested'>): Sentence | null {
  const { process, run, cause, signal, by, now, mono_ns } = record;
  if (run !== undefined && cause === 'main-ended') {
    runTold(told, run).stopNs ??= mono_ns;
    return say(run, 'what the command has left behind is stopped');
  }
  const why =
    cause === 'signal' ? `${signal ?? 'a signal'}${byText(by)}` : `${stopWords[cause]}${byText(by)}`;
  const verb = record.first_only === true ? 'drain' : 'stop';
  if (process !== undefined) return say(process, `${verb}: ${why}`);
  if (record.processes !== undefined) return say(null, `${verb}${namesText(record.processes)}: ${why}`);
  if (!told.taskAsks.has(record)) return null;
  told.asks++;
  const again = told.asks > 1 ? `asked again (${told.asks}. time)` : 'stop';
  return say(
    null,
    `${again}: ${why}${now === true ? ', SIGKILL now' : ''}`,
    told.asks > 1 ? 'warn' : 'plain',
  );
}

/** A supervisor that is late writes down what its coordinator has done already. */
function tellRung(told: Told, record: Envelope & BodyOf<'rung'>, log: LogName): Sentence | null {
  const { run, index, action, signal, target, pids, wait_ms, cut_ms, mono_ns } = record;
  const known = runTold(told, run);
  const before = known.rung;
  if (before !== null && before.index === index && before.log !== log) return null;
  known.stopNs ??= mono_ns;
  known.rung = { index, enteredNs: mono_ns, waitMs: wait_ms, log };
  const cut = cut_ms > 0 ? `, cut by ${durationText(cut_ms)} to fit the stop budget` : '';
  const used = before === null || before.index === index ? '' : `${usedText(before, mono_ns)}: `;
  const wait = wait_ms === null ? 'for ever' : `at most ${durationText(wait_ms)}`;
  const what = actionText(action, signal, target, pids);
  return say(run, `${used}${what}, waits ${wait}${cut}`, cut_ms > 0 ? 'warn' : 'plain');
}

function actionText(
  action: BodyOf<'rung'>['action'],
  signal: string | null,
  target: string | null,
  pids: readonly number[],
): string {
  switch (action) {
    case 'signal':
      return `${signal} to the ${target}${pids.length > 0 ? ` (${pidsText(pids)})` : ''}`;
    case 'wait':
      return 'left to end by itself';
    case 'exec':
      return 'its hook before the signal begins';
    case 'busy':
      return 'left alone while it is busy';
    case 'http_post':
      return 'asked over HTTP';
  }
}

function usedText({ enteredNs, waitMs }: NonNullable<ToldRun['rung']>, nowNs: bigint): string {
  const allowed = waitMs === null ? '' : ` of ${durationText(waitMs)}`;
  return `after ${durationText(msBetween(enteredNs, nowNs))}${allowed}`;
}

/** Of signals received those that no request tells of; of signals sent those outside a ladder. */
function tellSignal(told: Told, record: Envelope & BodyOf<'signal'>): Sentence | null {
  const { signal, run, target, pid, uid } = record;
  if (run !== undefined)
    return runTold(told, run).rung === null ? say(run, `${signal} to the ${target ?? 'group'}`) : null;
  const key = signalKey(signal, pid);
  const told_of = told.stopSignals.get(key) ?? 0;
  told.stopSignals.set(key, told_of - 1);
  return told_of > 0 ? null : say(null, `${signal} received${byText({ pid: pid ?? 0, uid: uid ?? 0 })}`);
}

function tellKill(told: Told, { run, pids, names, mono_ns }: Envelope & BodyOf<'kill'>): Sentence | null {
  if (run === undefined) return say(null, `SIGKILL for strangers: ${whoText(pids, names)}`, 'bad');
  const known = runTold(told, run);
  if (known.killed) return null;
  known.killed = true;
  const used = known.rung === null ? '' : ` ${usedText(known.rung, mono_ns)}`;
  return say(run, `SIGKILL${used}: ${whoText(pids, names)}`, 'bad');
}

function tellEnd(told: Told, record: Envelope & BodyOf<'run-ended'>): Sentence {
  const { run, code, signal, forced, rusage, stage, errno, mono_ns } = record;
  const known = runTold(told, run);
  if (stage !== undefined) return say(run, startText(stage, errno), 'bad');
  const judged = told.outcomes.get(run);
  const outcome = judged?.outcome ?? record.outcome;
  const lived = known.startedNs === null ? '' : ` after ${durationText(msBetween(known.startedNs, mono_ns))}`;
  const stopped =
    known.stopNs === null ? '' : `, ${durationText(msBetween(known.stopNs, mono_ns))} after its stop began`;
  const why =
    judged?.cause === 'oom' ? 'killed for lack of memory, ' : judged?.cause === 'health' ? 'unhealthy, ' : '';
  const end = `${endWord(outcome, forced)}: ${why}${endText(code, signal)}${lived}${stopped}${usageText(rusage)}`;
  return say(run, end, weightOf(outcome, forced));
}

function endWord(outcome: BodyOf<'outcome'>['outcome'] | undefined, forced: boolean): string {
  if (forced) return 'ended by SIGKILL';
  const words = { success: 'done', failed: 'failed', killed: 'stopped', lost: 'lost' } as const;
  return outcome === undefined ? 'ended' : words[outcome];
}

function weightOf(outcome: BodyOf<'outcome'>['outcome'] | undefined, forced: boolean): Weight {
  if (forced || outcome === 'lost') return 'bad';
  return outcome === 'failed' ? 'warn' : outcome === 'success' ? 'good' : 'plain';
}

function weightOfEnd(state: string, exitCode: number): Weight {
  return exitCode === 0 ? 'good' : state === 'failed' || state === 'lost' ? 'bad' : 'warn';
}

function tellHook(record: Envelope & BodyOf<'hook'>): Sentence | null {
  const { run, hook, state, code, signal } = record;
  const kind = /\/([^/]+)\.\d+$/.exec(hook)?.[1] ?? hook;
  // A request has no run of its own that could tell of its begin.
  if (kind === 'busy') return state === 'ended' && code !== 0 ? say(run, 'not busy any more') : null;
  if (state === 'started') return kind === 'http-post' ? null : say(run, `${kind} hook begins`);
  const good = code === 0;
  return say(
    run,
    `${kind} hook: ${good ? 'succeeded' : `failed, ${endText(code, signal)}`}`,
    good ? 'plain' : 'warn',
  );
}

function tellUpgrade(_: Told, { installation, state, by }: Envelope & BodyOf<'upgrade'>): Sentence {
  const where = installation === '' ? 'of the installation that gsup was started from' : `of ${installation}`;
  switch (state) {
    case 'requested':
      return say(null, `upgrade to the supervisor ${where} asked for${byText(by ?? null)}`);
    case 'done':
      return say(null, `upgraded: the supervisor is that ${where}`, 'good');
    case 'failed':
      return say(null, `not upgraded: the supervisor ${where} did not come up, the old one is back`, 'bad');
  }
}

/** Whoever has an end is told of there: these have been lost, or were never forked. */
function tellOutcome(told: Told, { run, outcome, cause }: BodyOf<'outcome'>): Sentence | null {
  if (told.runs.get(run)?.startedNs != null) return null;
  if (outcome === 'lost') return say(run, 'lost: nobody knows how it ended', 'bad');
  if (told.forked.has(run)) return null;
  if (outcome === 'killed') return say(run, 'stopped before it was started');
  return cause === 'start' ? say(run, 'not started: what must succeed before it has failed', 'bad') : null;
}

const SHORTENED: readonly string[] = ['aside', 'compacted'];

function tellGap({ missing, cause }: BodyOf<'gap'>): Sentence {
  if (cause !== undefined && SHORTENED.includes(cause))
    return say(null, `${missing} older records are not kept any more, so that the log stays short`);
  return say(null, `${missing} records are missing here${cause === undefined ? '' : ` (${cause})`}`, 'warn');
}

function startText(stage: string, errno: number | undefined): string {
  const why = errno === undefined || errno === 0 ? '' : `: ${errnoText(errno)}`;
  return `could not be started (${stage})${why}`;
}

function endText(code: number | null, signal: string | null): string {
  if (signal !== null) return `died of ${signal}`;
  return code === null ? 'end unknown' : `exit code ${code}`;
}

function usageText({ user_us, sys_us, max_rss_kb }: Rusage): string {
  const cpuMs = (user_us + sys_us) / 1000;
  if (cpuMs === 0 && max_rss_kb === 0) return '';
  return `; CPU ${durationText(cpuMs)}, memory at most ${memoryText(max_rss_kb)}`;
}

function memoryText(kb: number): string {
  return kb < 10_240 ? `${kb} kB` : `${Math.round(kb / 1024)} MB`;
}

function after(fromNs: bigint, toNs: bigint): string {
  return `after ${durationText(msBetween(fromNs, toNs))}`;
}

function byText(by: BodyOf<'stop-requested'>['by']): string {
  if (by === null) return '';
  return by.pid === 0 ? ' from outside' : ` from pid ${by.pid} (uid ${by.uid})`;
}

function nameText(name: string | undefined, pid: number): string {
  return name === undefined ? `pid ${pid}` : name.includes(`(${pid})`) ? name : `${name} (${pid})`;
}

const RELOADS = {
  unchanged: 'the config is as it was',
  refused: 'refused, the config before stays in force',
};

function configText({ config_digest, cause, by, ...lists }: BodyOf<'config'>): string {
  const { added = [], removed = [], renewed = [] } = lists;
  const what = cause === 'scale' ? 'scaled' : 'another config is in force';
  const parts = [
    ...(added.length > 0 ? [`new: ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`gone: ${removed.join(', ')}`] : []),
    ...(renewed.length > 0 ? [`run anew: ${renewed.join(', ')}`] : []),
  ];
  return `${what} (digest ${config_digest})${byText(by ?? null)}${parts.length > 0 ? `; ${parts.join('; ')}` : ''}`;
}

/** Of one the line is about it already. */
function namesText(processes: readonly string[]): string {
  return processes.length === 1 ? '' : ` of ${processes.join(', ')}`;
}

const SHOWN = 8;

/** With names where they are known. */
function whoText(pids: readonly number[], names: readonly string[] | undefined): string {
  if (names === undefined || names.length === 0) return pidsText(pids);
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}

function pidsText(pids: readonly number[]): string {
  if (pids.length === 0) return 'what is left of its tree';
  const more = pids.length > SHOWN ? ` and ${pids.length - SHOWN} more` : '';
  return `pid ${pids.slice(0, SHOWN).join(', ')}${more}`;
}

function say(about: string | null, text: string, weight: Weight = 'plain'): Sentence {
  return { about, weight, text };
}
