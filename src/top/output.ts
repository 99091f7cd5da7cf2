/** The kept output of a process for `gsup top`: what there is of it, and then what comes. */
import { listCopies, logsFolder, processOfCopy } from '../logs/copies.ts';
import type { LogLine } from '../logs/log-line.ts';
import { createShow } from '../logs/show-line.ts';
import { openTaskLogs } from '../logs/task-logs.ts';
import { watchFolder } from '../logs/watch-folder.ts';
import { OUTPUT_LINES_MAX, type TopEvent } from './model.ts';

export interface Output {
  readonly close: () => void;
}

/** A burst of lines is one look, and a screen is not read faster. */
const GATHER_MS = 100;
/** Of a longer line the rest can be had from `gsup logs`. */
const LINE_MAX = 4000;

export function openOutput(folder: string, process: string, tell: (event: TopEvent) => void): Output {
  const logs = openTaskLogs(folder, { names: [process], stream: null, since: null, last: OUTPUT_LINES_MAX });
  const show = createShow({ form: 'terminal', prefix: false, timestamps: false, colour: false }, [process]);
  const decoder = new TextDecoder();
  const asText = (line: LogLine): string => withoutColours(decoder.decode(show(line)));
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    timer = undefined;
    const { lines } = logs.read(null);
    const why = lines.length > 0 ? '' : whyNone(folder, process);
    tell({ kind: 'output', process, lines: lines.slice(-OUTPUT_LINES_MAX).map(asText), why });
  };
  const soon = (file: string | null): void => {
    if (file === null || processOfCopy(file) === process) timer ??= setTimeout(look, GATHER_MS);
  };
  const watching = watchFolder(logsFolder(folder), soon);
  timer = setTimeout(look, 0);
  return {
    close() {
      clearTimeout(timer);
      watching.close();
      logs.close();
    },
  };
}

function whyNone(folder: string, process: string): string {
  return listCopies(logsFolder(folder)) === null
    ? `what ${process} writes is not captured: gsup run --log prefix, or logging.driver in a config, does that`
    : `${process} has written nothing that is kept`;
}

/** A line may go on in the next row, where a colour would have to begin anew. */
function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins a colour
  return text.replace(/\u001b\[[\d;:]*m|\n$/g, '').slice(0, LINE_MAX);
}
