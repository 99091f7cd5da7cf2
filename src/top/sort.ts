/** Which processes are shown, in which order. Pure. */
import type { ProcessStatus } from '../report/status.ts';
import { type Model, processesOf } from './model.ts';

/** `config`: as they are declared. */
export const SORT_KEYS = ['config', 'name', 'state', 'cpu', 'memory', 'restarts', 'uptime'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** What needs somebody comes first. */
const STATES: readonly ProcessStatus['state'][] = [
  'lost',
  'failed',
  'killing',
  'stopping',
  'backoff',
  'waiting',
  'forked',
  'running',
  'ready',
  'killed',
  'success',
];

type Compare = (one: ProcessStatus, other: ProcessStatus) => number;

/** Large figures first, names from A. */
const COMPARE: Readonly<Record<SortKey, Compare>> = {
  config: () => 0,
  name: (one, other) => collator.compare(one.name, other.name),
  state: (one, other) => troubleOf(one) - troubleOf(other),
  cpu: (one, other) => (other.cpu_pct ?? -1) - (one.cpu_pct ?? -1),
  memory: (one, other) => (other.rss_bytes ?? -1) - (one.rss_bytes ?? -1),
  restarts: (one, other) => other.restarts - one.restarts,
  uptime: (one, other) => (other.uptime_ms ?? -1) - (one.uptime_ms ?? -1),
};

/** web.2 before web.10. */
const collator = new Intl.Collator('en', { numeric: true });

function troubleOf({ state, health }: ProcessStatus): number {
  return health === 'unhealthy' ? 0 : STATES.indexOf(state);
}

/** What is equal stays in the order of the config. */
export function shownProcesses(model: Model): readonly ProcessStatus[] {
  const { filter, sort, reversed } = model;
  const all = processesOf(model);
  const wanted = filter.toLowerCase();
  const meant = filter === '' ? all : all.filter(({ name }) => name.toLowerCase().includes(wanted));
  const sorted = sort === 'config' ? [...meant] : meant.toSorted(COMPARE[sort]);
  return reversed ? sorted.reverse() : sorted;
}
