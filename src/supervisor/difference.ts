/** What differs between two plans of a task, in the words of the config, and what needs another run to be in force. Pure. */
import type { ConfigDifference, ProcessDifference } from './client-request.ts';
import type { Dependency, ProcessPlan, TaskPlan } from './plan.ts';
import type { Launch } from './vocabulary.ts';

/** The key of the config that a field comes from. `restart`: a run keeps what it was started with. null: it follows from others. */
type Origin = { readonly key: string; readonly restart: boolean } | null;

const now = (key: string): Origin => ({ key, restart: false });
const anew = (key: string): Origin => ({ key, restart: true });

const FIELDS: Record<Exclude<keyof ProcessPlan, 'launch'>, Origin> = {
  name: null,
  entry: null,
  replica: null,
  level: null,
  waits: null,
  role: now('final, ephemeral'),
  daemon: now('daemon'),
  autostart: now('autostart'),
  dependsOn: now('depends_on'),
  preStart: now('pre_start'),
  ready: now('ready'),
  health: now('healthcheck'),
  // The command was told of it when it was started.
  watchdogMs: anew('healthcheck.watchdog'),
  memoryLimitBytes: now('memory_limit'),
  // Its coordinator was told of it when it was started.
  onSignal: anew('on_signal'),
  ladder: now('stop'),
  mustDrain: now('stop.must_drain'),
  postStop: now('stop.post_stop'),
  restart: now('restart'),
  exitMap: null,
  successCodes: now('success_exit_codes'),
};

const LAUNCH: Record<keyof Launch, Origin> = {
  argv: anew('command'),
  cwd: anew('working_dir'),
  user: anew('user'),
  group: anew('group'),
  umask: anew('umask'),
  nice: anew('nice'),
  oomScoreAdj: anew('oom_score_adj'),
  noNewPrivs: anew('no_new_privileges'),
  clearEnv: anew('clear_env'),
  envSet: anew('environment'),
  envUnset: anew('environment'),
  limits: anew('ulimits'),
  terminal: null,
  stdinNull: anew('stdin'),
  notify: anew('ready'),
  readyFd: anew('ready'),
  output: anew('logging'),
  tty: anew('tty'),
  deepCopy: anew('ready'),
  onSignal: null,
  startTimeoutMs: now('start_timeout'),
};

const TASK: Partial<Record<keyof TaskPlan, string>> = {
  main: 'main',
  stopBudgetMs: 'stop_budget',
  maxFailures: 'max_failures',
  maxConcurrency: 'max_concurrency',
  finalizationWaitMs: 'finalization_wait',
  exitWhen: 'exit_when',
};

export function differenceOf(before: TaskPlan, after: TaskPlan): ConfigDifference {
  const [old, next] = [before, after].map(
    ({ processes }) => new Map(processes.map((each) => [each.name, each])),
  ) as [Map<string, ProcessPlan>, Map<string, ProcessPlan>];
  const plainly = (plan: TaskPlan) =>
    onEntries(new Map(plan.processes.map(({ name, entry }) => [name, entry])));
  const [oldly, newly] = [plainly(before), plainly(after)];
  const changed = [...next.values()].flatMap((process) => {
    const was = old.get(process.name);
    const found = was === undefined ? null : processDifference(oldly(was), newly(process));
    return found === null ? [] : [found];
  });
  return {
    added: [...next.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !next.has(name)),
    changed,
    task: Object.entries(TASK).flatMap(([field, key]) =>
      isSame(before[field as keyof TaskPlan], after[field as keyof TaskPlan]) ? [] : [key],
    ),
  };
}

export function isNoDifference({ added, removed, changed, task }: ConfigDifference): boolean {
  return added.length + removed.length + changed.length + task.length === 0;
}

/** More replicas of what it depends on are no change of it. */
const onEntries =
  (entries: ReadonlyMap<string, string>) =>
  (process: ProcessPlan): ProcessPlan => {
    const all = process.dependsOn.map(({ on, condition }) => `${entries.get(on) ?? on} ${condition}`);
    const dependsOn = [...new Set(all)].map((each) => {
      const [on = '', condition] = each.split(' ');
      return { on, condition } as Dependency;
    });
    return { ...process, dependsOn };
  };

function processDifference(was: ProcessPlan, is: ProcessPlan): ProcessDifference | null {
  const own = originsOf(FIELDS, was, is);
  const launch = originsOf(LAUNCH, was.launch, is.launch);
  const all = [...launch, ...own];
  if (all.length === 0) return null;
  return {
    process: is.name,
    keys: [...new Set(all.map(({ key }) => key))].sort(),
    restart: all.some(({ restart }) => restart),
  };
}

function originsOf<T extends object>(
  origins: Readonly<Record<string, Origin>>,
  was: T,
  is: T,
): NonNullable<Origin>[] {
  return Object.entries(origins).flatMap(([field, origin]) =>
    origin === null || isSame(was[field as keyof T], is[field as keyof T]) ? [] : [origin],
  );
}

/** Plain data, made by the same code: the same text is the same value. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
