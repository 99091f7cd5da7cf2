/** Dependency levels in a picture: which lane is on which, what they are called, and in which order they stand. Pure, also in browsers. */
import type { BodyOf } from '../../checkpoint/record.ts';
import type { Lane } from './model.ts';

/** How many there are. They are counted in the order in which they stop, from 1; finals go on from there. */
export interface Levels {
  readonly stop: number;
  readonly final: number;
}

export const NO_LEVELS: Levels = { stop: 0, final: 0 };

/** Of the config in force. */
export interface LevelMap {
  readonly levels: Levels;
  /** null: its process is not in the config, or nothing was told of levels. */
  readonly of: (process: string) => number | null;
}

export const UNTOLD: LevelMap = { levels: NO_LEVELS, of: () => null };

/** null: the record tells nothing of levels, as those of an older gsup and of `run`. */
export function levelsIn(record: Pick<BodyOf<'task'>, 'stop_levels' | 'final_levels'>): LevelMap | null {
  const { stop_levels: stop, final_levels: final = [] } = record;
  if (stop === undefined) return null;
  const known = new Map(
    [...stop, ...final].flatMap((names, at) => names.split(' ').map((name) => [name, at + 1] as const)),
  );
  return {
    levels: { stop: stop.length, final: final.length },
    // Levels are of entries: `web` is told, and `web.2` is one of its replicas.
    of: (process) => known.get(process) ?? known.get(process.replace(/\.\d+$/, '')) ?? null,
  };
}

/** A picture has no use for a single one. */
export function hasLevels({ stop, final }: Levels): boolean {
  return stop + final > 1;
}

export interface Heading {
  readonly heading: string;
}

export type Row = Lane | Heading;

export function isHeading(row: Row | undefined): row is Heading {
  return row !== undefined && 'heading' in row;
}

/**
 * What stops last began first and stands at the top, so that a start goes down and a stop comes back up; then finals, then what the
 * config has no more. On a level lanes stay in their order.
 */
export function rowsOf(lanes: readonly Lane[], levels: Levels): readonly Row[] {
  if (!hasLevels(levels)) return lanes;
  const groups = new Map<number | null, Lane[]>();
  for (const lane of lanes) {
    const group = groups.get(lane.level);
    if (group === undefined) groups.set(lane.level, [lane]);
    else group.push(lane);
  }
  return [...groups]
    .sort(([one], [other]) => placeOf(one, levels) - placeOf(other, levels))
    .flatMap(([level, group]) => [{ heading: levelText(level, levels) }, ...group]);
}

function placeOf(level: number | null, { stop, final }: Levels): number {
  if (level === null) return stop + final + 1;
  return level <= stop ? stop - level : stop + final - (level - stop);
}

/** As `gsup check` counts them. */
export function levelText(level: number | null, { stop, final }: Levels): string {
  if (level === null) return 'not in the config any more';
  if (level > stop) {
    const which = final === 1 ? '' : ` ${level - stop} of ${final}`;
    return `final${which}: runs when all others have ended`;
  }
  const turn = level === 1 ? ': stops first' : level === stop ? ': stops last' : '';
  return `stop level ${level} of ${stop}${stop === 1 ? '' : turn}`;
}
