/** What a served page is told of a task as it goes on, and what it makes of that. Pure, for both ends. */
import type { Lane, Timeline } from './model.ts';

/**
 * `live`: whatever happens is told. `alone`: the supervisor does not answer, and what init writes is told. `ended`: the task
 * has. `file`: nobody tells anything, as with the page in a file.
 */
export type Source = 'live' | 'alone' | 'ended' | 'file';

/** A line of JSON. */
export interface News {
  readonly source: Source;
  /** How old the task is; the page counts on from there. null: it grows no older. */
  readonly nowMs: number | null;
  readonly task: Omit<Timeline, 'lanes'>;
  /** `lanes` are all that there are, whatever was drawn before. */
  readonly whole: boolean;
  /** New ones, and those that are not as they were. */
  readonly lanes: readonly Lane[];
  /** Runs that are not to be drawn any more. */
  readonly gone: readonly string[];
}

export interface Known {
  readonly timeline: Timeline;
  readonly source: Source;
}

/** null: nothing has happened. `before` null: whoever asks knows nothing yet. What is the same object has not changed. */
export function newsSince(before: Known | null, { timeline, source }: Known, nowMs: number): News | null {
  const { lanes, ...task } = timeline;
  const about = { source, nowMs: source === 'ended' || source === 'file' ? null : nowMs, task };
  const all: News = { ...about, whole: true, lanes, gone: [] };
  if (before === null) return all;
  const { lanes: old, ...oldTask } = before.timeline;
  const drawn = new Map(old.map((lane) => [lane.run, lane]));
  const changed = lanes.filter((lane) => drawn.get(lane.run) !== lane);
  const isSameTask = source === before.source && JSON.stringify(task) === JSON.stringify(oldTask);
  if (changed.length === 0 && isSameTask) return null;
  if (task.leftOut === oldTask.leftOut) return { ...about, whole: false, lanes: changed, gone: [] };
  const news = { ...about, whole: false, lanes: changed, gone: missingIn(lanes, old) };
  // A run that was left out and of which there is something again stands at another place.
  const isInOrder = withNews(before.timeline, news).lanes.every(({ run }, i) => run === lanes[i]?.run);
  return isInOrder ? news : all;
}

function missingIn(lanes: readonly Lane[], before: readonly Lane[]): string[] {
  const here = new Set(lanes.map(({ run }) => run));
  return before.flatMap(({ run }) => (here.has(run) ? [] : [run]));
}

/** The timeline after `news`. What comes first is whole. */
export function withNews(before: Timeline | null, { task, whole, lanes, gone }: News): Timeline {
  if (whole || before === null) return { ...task, lanes };
  const all = new Map(before.lanes.map((lane) => [lane.run, lane]));
  for (const run of gone) all.delete(run);
  for (const lane of lanes) all.set(lane.run, lane);
  return { ...task, lanes: [...all.values()] };
}
