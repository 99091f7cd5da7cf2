/** The lines of a bounded copy, as the pump writes them (src/init/lines.c): time, run, stream, F or P, text. Pure. */

export type Stream = 'stdout' | 'stderr';

/** One line of a copy. A line of output that is longer than the pump's bound is several of them. */
export interface Piece {
  /** RFC 3339, UTC, with milliseconds: when gsup passed it on. */
  readonly time: string;
  /** `web#3`, or `web#3/pre-stop.1` for a hook. */
  readonly run: string;
  readonly stream: Stream;
  /** Its line ends here. */
  readonly ends: boolean;
  /** As it was written: any bytes. */
  readonly text: Uint8Array;
}

/** Longer than what stands before the text of any line: a time, the longest name of a run, a stream, a letter. */
const HEAD_MAX = 1024;
const HEAD = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (stdout|stderr) ([FP]) $/;
const HEAD_WORDS = 4;
const SPACE = 0x20;

/** `line`: without its newline. null: it is none, whatever has written it. */
export function parsePiece(line: Uint8Array): Piece | null {
  const size = headSize(line);
  // One character a byte: what is no ASCII is in no head.
  const head = HEAD.exec(String.fromCharCode(...line.subarray(0, size)));
  if (head === null) return null;
  const [, time, run, stream, kind] = head as unknown as [string, string, string, Stream, string];
  return { time, run, stream, ends: kind === 'F', text: line.subarray(size) };
}

/** Bytes up to the text, with the space before it; 0: there is no head. */
function headSize(line: Uint8Array): number {
  const most = Math.min(line.length, HEAD_MAX);
  for (let at = 0, words = 0; at < most; at++)
    if (line[at] === SPACE && ++words === HEAD_WORDS) return at + 1;
  return 0;
}

/** `web` for `web#3`. */
export function processOfRun(run: string): string {
  const at = run.indexOf('#');
  return at < 0 ? run : run.slice(0, at);
}

const NEWLINE = 0x0a;

/** Bytes to pieces. What has no newline yet is for the next call: `rest`. What is no line of a copy is left out. */
export function splitPieces(bytes: Uint8Array): { readonly pieces: Piece[]; readonly rest: Uint8Array } {
  const pieces: Piece[] = [];
  let from = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
    const piece = parsePiece(bytes.subarray(from, end));
    if (piece !== null) pieces.push(piece);
    from = end + 1;
  }
  return { pieces, rest: bytes.subarray(from) };
}
