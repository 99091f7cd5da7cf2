/** The columns of the table: which of them there is room for, and what stands in them. Pure. */
import { durationText } from '../report/duration.ts';
import { escapeText } from '../report/escape.ts';
import type { ProcessStatus } from '../report/status.ts';
import { endText, memoryText } from '../report/status-text.ts';
import { fitTo, widthOf } from '../report/width.ts';
import type { SortKey } from './sort.ts';

interface Column {
  readonly head: string;
  readonly side: 'left' | 'right';
  readonly sort: SortKey | null;
  /** The higher, the sooner it is left out. 0: never. */
  readonly rank: number;
  readonly least: number;
  readonly most: number;
  readonly cell: (process: ProcessStatus, nowMs: number) => string;
}

/** In the order in which they stand. */
const COLUMNS: readonly Column[] = [
  {
    head: 'PROCESS',
    side: 'left',
    sort: 'name',
    rank: 0,
    least: 8,
    most: 40,
    cell: ({ name }) => escapeText(name, 80),
  },
  { head: 'STATE', side: 'left', sort: 'state', rank: 1, least: 8, most: 16, cell: stateText },
  { head: 'CPU %', side: 'right', sort: 'cpu', rank: 2, least: 6, most: 8, cell: cpuText },
  { head: 'MEMORY', side: 'right', sort: 'memory', rank: 3, least: 7, most: 9, cell: memory },
  {
    head: 'RESTARTS',
    side: 'right',
    sort: 'restarts',
    rank: 4,
    least: 9,
    most: 9,
    cell: ({ restarts }) => `${restarts}`,
  },
  { head: 'UPTIME', side: 'right', sort: 'uptime', rank: 5, least: 7, most: 8, cell: uptime },
  { head: 'PID', side: 'right', sort: null, rank: 6, least: 7, most: 8, cell: ({ pid }) => `${pid ?? '-'}` },
  { head: 'LAST END', side: 'left', sort: null, rank: 7, least: 10, most: 40, cell: lastEnd },
];

const GAP = '  ';

/** What has a time to come says how long it is. */
export function stateText(
  { state, health, stop, next_start_at: next }: ProcessStatus,
  nowMs: number,
): string {
  const left = stop?.left_ms ?? null;
  if (left !== null && (state === 'stopping' || state === 'killing')) return `${state} ${leftText(left)}`;
  if (state === 'backoff' && next !== null)
    return `backoff ${leftText(Math.max(0, Date.parse(next) - nowMs))}`;
  return health === 'unhealthy' ? 'unhealthy' : state;
}

/** Shorter than elsewhere, so that a name has room beside it. */
function leftText(ms: number): string {
  return ms < 10_000 || ms >= 60_000 ? durationText(ms) : `${Math.floor(ms / 1000)}s`;
}

function cpuText({ cpu_pct: cpu }: ProcessStatus): string {
  return cpu === null ? '-' : cpu.toFixed(1);
}

function memory({ rss_bytes: bytes }: ProcessStatus): string {
  return bytes === null ? '-' : memoryText(bytes);
}

function uptime({ uptime_ms: ms }: ProcessStatus): string {
  return ms === null ? '-' : durationText(ms);
}

function lastEnd({ last }: ProcessStatus): string {
  return last === null ? '-' : endText(last);
}

export interface Table {
  readonly heads: string;
  readonly rows: readonly string[];
}

/** Each line is `width` columns wide. `widest`: of all names, also of those that are not on the screen. */
export function tableOf(
  processes: readonly ProcessStatus[],
  given: { readonly width: number; readonly widest: number; readonly nowMs: number; readonly sort: SortKey },
): Table {
  const { width, widest, nowMs, sort } = given;
  const cells = COLUMNS.map(({ cell }) => processes.map((process) => cell(process, nowMs)));
  const wanted = COLUMNS.map((column, at) => {
    const longest = at === 0 ? widest : Math.max(0, ...(cells[at] ?? []).map(widthOf));
    return Math.max(column.least, Math.min(column.most, longest));
  });
  const widths = fitColumns(wanted, width);
  const line = (texts: readonly string[]) => {
    const parts = COLUMNS.flatMap(({ side }, at) => {
      const columns = widths[at] ?? 0;
      return columns === 0 ? [] : [fitTo(texts[at] ?? '', columns, side)];
    });
    return fitTo(parts.join(GAP), width);
  };
  const heads = COLUMNS.map(({ head, sort: key }) => (key === sort ? `${head}*` : head));
  return {
    heads: line(heads),
    rows: processes.map((_, row) => line(cells.map((column) => column[row] ?? ''))),
  };
}

/** A name gives way down to this before the state of the process does. */
const NAME_LEAST = 4;

/** 0: there is no room for that column. */
export function fitColumns(wanted: readonly number[], width: number): number[] {
  const [name = 0, ...others] = wanted;
  const order = COLUMNS.map(({ rank }, at) => ({ rank, at })).slice(1);
  order.sort((one, other) => one.rank - other.rank);
  const fitted = [Math.min(name, width), ...others.map(() => 0)];
  let left = width - (fitted[0] ?? 0);
  for (const { rank, at } of order) {
    const need = (wanted[at] ?? 0) + GAP.length;
    const lack = need - left;
    // Of what is left of a long name one can tell whom it means; without its state nobody needs it.
    if (lack > 0 && rank === 1 && (fitted[0] ?? 0) - lack >= NAME_LEAST) {
      fitted[0] = (fitted[0] ?? 0) - lack;
      left += lack;
    } else if (lack > 0) break;
    fitted[at] = wanted[at] ?? 0;
    left -= need;
  }
  return fitted;
}
