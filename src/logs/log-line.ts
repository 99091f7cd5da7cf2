/** From pieces to the lines that a process has written, and lines of many processes in the order of time. Pure. */
import { type Piece, processOfRun, type Stream } from './copy-line.ts';

export interface LogLine {
  readonly process: string;
  readonly run: string;
  readonly stream: Stream;
  /** Of its first piece. */
  readonly time: string;
  readonly text: Uint8Array;
  /** false: its end is still to come, or was never written. */
  readonly ends: boolean;
}

/** A line that is longer is passed on in parts: what has no end must not need memory without end. */
export const LINE_MAX_BYTES = 1024 * 1024;

export interface Assembler {
  /** The lines that are complete with these pieces. */
  push(pieces: readonly Piece[]): LogLine[];
  /** What has begun and not ended. */
  end(): LogLine[];
}

interface Begun {
  readonly first: Piece;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** A line whose first pieces are in the copy no more begins with the first that is. */
export function createAssembler(): Assembler {
  const begun = new Map<string, Begun>();
  const add = (piece: Piece): LogLine[] => {
    const key = `${piece.run} ${piece.stream}`;
    const line = begun.get(key) ?? { first: piece, parts: [], bytes: 0 };
    line.parts.push(piece.text);
    line.bytes += piece.text.length;
    if (piece.ends || line.bytes >= LINE_MAX_BYTES) {
      begun.delete(key);
      return [whole(line, piece.ends)];
    }
    begun.set(key, line);
    return [];
  };
  return {
    push: (pieces) => pieces.flatMap(add),
    end() {
      const lines = [...begun.values()].map((line) => whole(line, false));
      begun.clear();
      return lines;
    },
  };
}

function whole({ first, parts, bytes }: Begun, ends: boolean): LogLine {
  const { run, stream, time } = first;
  return { process: processOfRun(run), run, stream, time, text: joined(parts, bytes), ends };
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * By time; lines of one process stay in the order in which they were written, also where the clock was set back between
 * them. Equal times: in the order of `lists`.
 */
export function mergeByTime(lists: readonly (readonly LogLine[])[]): LogLine[] {
  const timed = lists.flatMap((lines) => {
    let latest = '';
    return lines.map((line) => {
      if (line.time > latest) latest = line.time;
      return { at: latest, line };
    });
  });
  return timed.sort((one, other) => compare(one.at, other.at)).map(({ line }) => line);
}

/** Times of one length and zone compare as texts. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
