/** A crash loop is told as its first run, its last one, and a line for all between them. Pure. */
import { processName, runNumber } from '../supervisor/names.ts';
import { durationText } from './duration.ts';
import type { HistoryLine } from './history.ts';

/** Fewer are told as they are: a line in their place would hide more than it saves. */
const FOLDED_LEAST = 3;

interface Run {
  readonly name: string;
  readonly lines: HistoryLine[];
}

/** Runs of a process that come one after the other and went alike, but for times, pids and memory. */
export function foldHistory(lines: readonly HistoryLine[]): readonly HistoryLine[] {
  const dropped = new Map<HistoryLine, HistoryLine | null>();
  for (const runs of runsByProcess(lines).values())
    for (const alike of stretches(runs)) {
      const between = alike.slice(1, -1);
      if (between.length < FOLDED_LEAST) continue;
      const [first, ...rest] = between.flatMap((run) => run.lines);
      if (first === undefined) continue;
      dropped.set(first, { ...first, ...summaryOf(between) });
      for (const line of rest) dropped.set(line, null);
    }
  return lines.flatMap((line) => {
    const instead = dropped.get(line);
    return instead === undefined ? [line] : (instead ?? []);
  });
}

function runsByProcess(lines: readonly HistoryLine[]): Map<string, Run[]> {
  const processes = new Map<string, Run[]>();
  for (const line of lines) {
    const about = line.about ?? '';
    const name = about.split('/')[0] ?? '';
    const process = name.includes('#') ? processName(name) : name;
    const runs = processes.get(process) ?? [];
    processes.set(process, runs);
    // How long it waits is about the process, and follows from the run before.
    if (line.type === 'backoff') runs.at(-1)?.lines.push(line);
    else if (name.includes('#')) {
      const known = runs.findLast((run) => run.name === name);
      if (known === undefined) runs.push({ name, lines: [line] });
      else known.lines.push(line);
    }
  }
  return processes;
}

/** Longest rows of runs that have ended, follow each other, and are alike. */
function stretches(runs: readonly Run[]): Run[][] {
  const found: Run[][] = [];
  let before: { readonly number: number; readonly likeness: string } | null = null;
  for (const run of runs) {
    const number = runNumber(run.name);
    const likeness = run.lines.some(({ type }) => type === 'run-ended') ? likenessOf(run) : null;
    const isNext = before !== null && before.likeness === likeness && before.number + 1 === number;
    if (isNext) found.at(-1)?.push(run);
    else found.push([run]);
    before = likeness === null ? null : { number, likeness };
  }
  return found;
}

/** An exit code is no time. */
const VARIES = /(exit code \d+)|\d[\d.]*(?: ?(?:ms|s|m|h|d|kB|MB)\b)?/g;

function likenessOf({ lines }: Run): string {
  const words = lines.map(
    ({ type, text }) =>
      `${type} ${text.replace(VARIES, (_, code?: string) => code ?? 'N').replace(/N( N)+/g, 'N')}`,
  );
  return words.join('\n');
}

function summaryOf(runs: readonly Run[]): Partial<HistoryLine> {
  const ends = runs.map(({ lines }) => lines.find(({ type }) => type === 'run-ended'));
  const lives = runs.flatMap(({ lines }, i) => {
    const start = lines.find(({ type }) => type === 'run-started');
    const end = ends[i];
    return start === undefined || end === undefined ? [] : [end.sinceMs - start.sinceMs];
  });
  const [shortest, longest] = [Math.min(...lives), Math.max(...lives)].map(durationText);
  const lived =
    lives.length === 0
      ? ''
      : shortest === longest
        ? `, each after ${longest}`
        : `, each after ${shortest} to ${longest}`;
  const until = ends.at(-1)?.at.slice(11).replace('Z', '') ?? '';
  const names = `${runs[0]?.name} to ${runs.at(-1)?.name}`;
  const text = `${runs.length} more runs like that until ${until}: ${names}${lived}`;
  return { about: processName(runs[0]?.name ?? ''), text, type: 'alike', weight: ends[0]?.weight ?? 'plain' };
}
