// The one table of record types: the TypeScript types, the reader's check and docs/reference/records.md come from it, so
// that the three cannot disagree. Imported by the pure core: nothing of node: here.

type Kind = 'text' | 'int' | 'bool' | 'ns' | 'ints' | 'texts' | 'who' | 'rusage' | readonly string[];
export type Field = { kind: Kind; about: string; orNull?: true; optional?: true };
export type RecordSpec = {
  writer: 'init' | 'supervisor' | 'both';
  about: string;
  fields: Readonly<Record<string, Field>>;
};

const text = (about: string) => ({ kind: 'text', about }) as const;
const int = (about: string) => ({ kind: 'int', about }) as const;
const bool = (about: string) => ({ kind: 'bool', about }) as const;
const ns = (about: string) => ({ kind: 'ns', about }) as const;
const ints = (about: string) => ({ kind: 'ints', about }) as const;
const texts = (about: string) => ({ kind: 'texts', about }) as const;
const who = (about: string) => ({ kind: 'who', about }) as const;
const rusage = (about: string) => ({ kind: 'rusage', about }) as const;
const oneOf = <const V extends readonly string[]>(values: V, about: string) =>
  ({ kind: values, about }) as const;
const orNull = <F extends Field>(field: F) => ({ ...field, orNull: true }) as const;
const maybe = <F extends Field>(field: F) => ({ ...field, optional: true }) as const;

export const stopCauses = [
  'signal',
  'api',
  'main-ended',
  'failure',
  'budget',
  'unhealthy',
  'memory',
  'reload',
  'finalization-wait',
  'not-ready',
] as const;
export const outcomes = ['success', 'failed', 'killed', 'lost'] as const;
export const outcomeCauses = ['exit', 'signal', 'oom', 'start', 'not-ready', 'health', 'stopped'] as const;
export const taskStates = [
  'active',
  'cleaning',
  'finalizing',
  'success',
  'failed',
  'killed',
  'lost',
] as const;
export const rungActions = ['signal', 'exec', 'busy', 'http_post', 'wait'] as const;
export const targets = ['group', 'leader', 'tree'] as const;

const run = text('name of the run, `web#3`');
const process = text('name of the process, `web`');
const code = orNull(int('exit code; null on death by signal'));
const diedOf = orNull(text('signal it died of; null when it exited'));
const pid = int('process id, as init sees it');
/** What a picture needs and no replay: a config has them for itself. */
const levels = {
  stop_levels: maybe(
    texts(
      '`up`: a string for each stop level, what stops first comes first: the entries on it, with spaces between; finals are not among them',
    ),
  ),
  final_levels: maybe(texts('the same of final processes, where there are any')),
};

export const recordTable = {
  task: {
    writer: 'both',
    about: 'the first record of a log: which task this is, and where it lives',
    fields: {
      task: text('name of the task'),
      version: text('version of gsup'),
      config_digest: text('digest of the options or the config file'),
      boot_id: text('`/proc/sys/kernel/random/boot_id`; empty where there is none'),
      pid_ns: int("inode of init's pid namespace; 0 where there is none"),
      pid: int('pid of init, in its own namespace'),
      ...levels,
    },
  },
  'supervisor-started': {
    writer: 'supervisor',
    about: 'a supervisor has read the logs and takes over',
    fields: { pid, version: text('version of gsup') },
  },
  'run-forked': {
    writer: 'supervisor',
    about: 'decision to start a run; `seq` is the number of the request',
    fields: { process, run },
  },
  'run-started': {
    writer: 'init',
    about: 'the leader has been started',
    fields: {
      process: maybe(process),
      run,
      pid,
      start_ticks: int('field 22 of `/proc/<pid>/stat`; 0 when unknown'),
    },
  },
  'run-ready': { writer: 'supervisor', about: 'the run is ready', fields: { process, run } },
  'health-changed': {
    writer: 'supervisor',
    about: 'the health of a run is another than before',
    fields: {
      process,
      run,
      health: oneOf(['starting', 'healthy', 'unhealthy'], 'the new health'),
      reason: orNull(text('what the probe said')),
    },
  },
  'stop-requested': {
    writer: 'both',
    about: 'a stop was asked for, or asked for again',
    fields: {
      process: maybe(
        text('the process to be stopped; the whole task where neither it nor `processes` is there'),
      ),
      processes: maybe(texts('the processes to be stopped, where a client has named several')),
      run: maybe(
        text('the run, where that alone is to be stopped: what its leader left behind, or for another one'),
      ),
      now: maybe(bool('straight to SIGKILL')),
      first_only: maybe(bool('a drain: the first rung, and no further')),
      cause: oneOf(stopCauses, 'why'),
      signal: maybe(text('the signal received, where the cause is one')),
      by: orNull(
        who('sender of the signal or client of the request; pid 0: from outside; null: gsup itself'),
      ),
    },
  },
  rung: {
    writer: 'both',
    about: 'a stop reaches a rung of its ladder; written before the rung is acted on',
    fields: {
      process: maybe(process),
      run,
      index: int('place in the ladder, from 0'),
      action: oneOf(rungActions, 'what the rung does'),
      signal: orNull(text('signal to be sent; null where the action is another')),
      target: orNull(oneOf(targets, 'who gets the signal')),
      pids: ints('leader, or those the signal is meant for'),
      wait_ms: orNull(int('longest wait, after cuts; null: for ever')),
      deadline_ns: orNull(ns('end of the wait on CLOCK_MONOTONIC; null: for ever')),
      cut_ms: int('how much the stop budget took from the wait; 0: nothing'),
      notify_count: maybe(int('how many notify messages of the run had been seen')),
    },
  },
  signal: {
    writer: 'init',
    about: 'a signal was received (`pid`, `uid`) or sent (`run`, `target`, `pids`)',
    fields: {
      signal: text('name of the signal'),
      pid: maybe(int('received: pid of the sender; 0: from outside, or the kernel')),
      uid: maybe(int('received: uid of the sender')),
      times: maybe(int('as many came one behind the other, or were sent so; only real-time signals queue')),
      run: maybe(run),
      target: maybe(oneOf(targets, 'sent: to whom')),
      pids: maybe(ints('sent: who got it')),
    },
  },
  'leader-exited': {
    writer: 'init',
    about: 'the command itself has ended; its tree may live on',
    fields: { run, pid: maybe(pid), code, signal: diedOf, rusage: rusage('of the leader') },
  },
  stragglers: {
    writer: 'init',
    about: 'these outlived the leader',
    fields: { run, pids: ints('who') },
  },
  kill: {
    writer: 'both',
    about: 'SIGKILL for what ignored the ladder; written before it is sent',
    fields: {
      process: maybe(process),
      run: maybe(text('name of the run; absent for strangers')),
      pids: ints('who'),
      names: maybe(texts('their names, as far as known')),
    },
  },
  'run-ended': {
    writer: 'init',
    about: 'the leader is reaped and its tree is empty; exactly one per run',
    fields: {
      process: maybe(process),
      run,
      outcome: maybe(oneOf(outcomes, 'where no supervisor was there to judge')),
      code,
      signal: diedOf,
      forced: bool('true only where SIGKILL was sent'),
      rusage: rusage('of the whole tree'),
      stage: maybe(text('where a start failed')),
      errno: maybe(int('with which errno')),
    },
  },
  outcome: {
    writer: 'supervisor',
    about: 'how an ended run is judged',
    fields: {
      process,
      run,
      outcome: oneOf(outcomes, '`killed`: it ended after a stop had been requested, whatever its code'),
      cause: oneOf(outcomeCauses, 'first cause'),
      code,
      signal: diedOf,
      forced: bool('true only where SIGKILL was sent'),
      transient: maybe(
        bool('its start failed for want of a process, of memory or of descriptors: the next one may succeed'),
      ),
      failures: int('failed runs of the process in a row, this one included'),
      forked_ns: ns('when it was forked, on CLOCK_MONOTONIC; 0 when unknown'),
      ended_ns: ns('when its tree was empty, on CLOCK_MONOTONIC; 0 when unknown'),
    },
  },
  hook: {
    writer: 'supervisor',
    about: 'a hook begins or has ended; it is a run of its own, `web#3/pre-stop.1`',
    fields: {
      process,
      run: text('the run that the hook serves'),
      hook: text('name of the run of the hook'),
      state: oneOf(['started', 'ended'], 'began, or has ended'),
      code: orNull(int('exit code; null while it runs and on death by signal')),
      signal: orNull(text('signal it died of')),
      index: maybe(int('began: the rung it belongs to')),
      deadline_ns: maybe(
        ns('began: its time-out, on CLOCK_MONOTONIC; ended: when it is tried, or asked, again'),
      ),
    },
  },
  'start-requested': {
    writer: 'supervisor',
    about: 'a client wants these processes up',
    fields: {
      processes: texts('names of processes, `web.1`'),
      by: orNull(who('client of the request')),
    },
  },
  'restart-requested': {
    writer: 'supervisor',
    about: 'each of these is to have a new run; of replicas the next when the last is ready',
    fields: {
      processes: texts('names of processes, `web.1`'),
      cause: oneOf(['api', 'reload'], 'why'),
      by: orNull(who('client of the request')),
    },
  },
  'signal-requested': {
    writer: 'supervisor',
    about: 'a signal outside the ladder was asked for; `seq` is the number of the request',
    fields: {
      process,
      run,
      signal: text('name of the signal'),
      target: oneOf(targets, 'to whom'),
      by: orNull(who('client of the request')),
    },
  },
  backoff: {
    writer: 'supervisor',
    about: 'the next run waits',
    fields: {
      process,
      wait_ms: int('how long'),
      deadline_ns: ns('until when on CLOCK_MONOTONIC'),
      failures: int('failed runs so far'),
    },
  },
  'task-state': {
    writer: 'both',
    about: 'the state of the task is another; the last one has the exit code',
    fields: {
      state: oneOf(taskStates, 'the new state'),
      exit_code: orNull(int('code of gsup; null until it is known')),
      deadline_ns: maybe(orNull(ns('finalizing: when the final processes must be done; null: for ever'))),
    },
  },
  clearing: {
    writer: 'supervisor',
    about:
      'all but the final processes have ended: what belongs to no run is ended, and then those begin; `seq` is the number of the request',
    fields: {},
  },
  budget: {
    writer: 'supervisor',
    about: 'a stop has begun under a stop budget',
    fields: {
      budget_ms: int('all of it'),
      deadline_ns: ns('when everything must be over, on CLOCK_MONOTONIC'),
    },
  },
  config: {
    writer: 'supervisor',
    about: 'another config is in force than the one the task began with',
    fields: {
      config_digest: text('digest of the config file'),
      revision: maybe(int('how often the config has changed since the begin')),
      cause: maybe(
        oneOf(['reload', 'scale'], 'it was read again, or a client wants other numbers of replicas'),
      ),
      by: maybe(orNull(who('client of the request, or sender of the signal'))),
      added: maybe(texts('processes that were not there before')),
      removed: maybe(texts('processes that are not there any more; they are stopped')),
      renewed: maybe(texts('processes whose runs make way for new ones')),
      reordered: maybe(texts('runs that go on, and are stopped in another way from now on')),
      ...levels,
    },
  },
  order: {
    writer: 'supervisor',
    about:
      'a run is stopped in another way from now on, also without a supervisor; `seq` is the number of the request',
    fields: { process, run },
  },
  reload: {
    writer: 'supervisor',
    about: 'the config was to be read again',
    fields: {
      result: oneOf(['applied', 'unchanged', 'refused'], 'whether another one is in force now'),
      count: int('how often a signal has asked for that so far'),
      by: orNull(who('client of the request, or sender of the signal')),
    },
  },
  stranger: {
    writer: 'init',
    about: 'init adopted a process that belongs to no run',
    fields: { pid, name: maybe(text('its name')) },
  },
  stuck: {
    writer: 'init',
    about: 'these did not end on SIGKILL, or may not be signalled',
    fields: { run: maybe(run), pids: ints('who'), names: maybe(texts('their names')) },
  },
  oom: {
    writer: 'init',
    about: 'the kernel has killed the leader for lack of memory',
    fields: { run },
  },
  unkept: {
    writer: 'init',
    about: 'what was promised for a stop is not kept, because no supervisor is there for it',
    fields: {
      run: maybe(run),
      what: text(
        '`pre-stop hook`, `post-stop hook`, `waiting while busy`, or `draining` before the first signal; without a run: `final processes`',
      ),
    },
  },
  upgrade: {
    writer: 'both',
    about: 'the supervisor is to be started from another installation, and whether it is',
    fields: {
      installation: text("its folder; empty: init's own"),
      state: oneOf(
        ['requested', 'done', 'failed'],
        'asked for (supervisor); once for each request (init): the new one answers, or not and the old one is back, or another one was asked for before it has',
      ),
      by: maybe(orNull(who('client of the request'))),
    },
  },
  undelivered: {
    writer: 'init',
    about: 'output that could not be written before the end',
    fields: { process: maybe(process), bytes: int('how much') },
  },
  gap: {
    writer: 'both',
    about: 'records before this one are missing: the disk was full or broken, or the log was begun anew',
    fields: {
      missing: int('how many records are missing before this one'),
      cause: maybe(
        text(
          'errno name; `damaged`: the log was begun anew; `lost`: an earlier writer took them; `aside`: they stood in a part of the log that was put aside; `compacted`: no replay needs them',
        ),
      ),
    },
  },
} as const satisfies Readonly<Record<string, RecordSpec>>;
