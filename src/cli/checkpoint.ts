/** `gsup checkpoint verify|dump|compact [FILE]`. */
import { type Compacted, compactFile } from '../checkpoint/compact-file.ts';
import { dumpFiles, locateLogs, verifyFiles } from '../checkpoint/files.ts';
import type { CheckpointRecord } from '../checkpoint/record.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { neededRecords } from '../supervisor/needed.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Options } from './parse.ts';

type Logs = Extract<ReturnType<typeof locateLogs>, { path: string }>;

/** Big writes, because a log has many short lines. */
const PIECE = 64 * 1024;

export function checkpointCommand(
  what: 'verify' | 'dump' | 'compact',
  file: string | undefined,
  options: Options,
  env: Environment,
  print: (text: string) => boolean,
): Outcome {
  const logs = locateLogs({
    file,
    name: options.name ?? undefined,
    option: options['state-dir'] ?? undefined,
    env,
    uid: process.getuid?.() ?? -1,
  });
  if (!('path' in logs))
    return failure(logs.kind === 'several' ? EXIT.usage : EXIT.unavailable, logs.message);
  if (what === 'compact') return compact(compactFile(logs, everythingDone));
  return what === 'verify' ? verify(logs) : dump(logs, print);
}

function verify(logs: Logs): Outcome {
  const { lines, ok } = verifyFiles(logs);
  return { ...success(lines.map((line) => `${line}\n`).join('')), exitCode: ok ? EXIT.success : EXIT.data };
}

/** A log may be larger than what should be held in memory, so it is not part of the outcome. */
function dump(logs: Logs, print: (text: string) => boolean): Outcome {
  let piece = '';
  const { problems, ok } = dumpFiles(logs, (line) => {
    piece += line;
    if (piece.length < PIECE) return;
    print(piece);
    piece = '';
  });
  print(piece);
  return ok ? success('') : failure(EXIT.data, ...problems);
}

/** Of a task that has ended nothing is left to be asked for. */
function everythingDone(records: readonly CheckpointRecord[]): boolean[] {
  return neededRecords(records, Number.POSITIVE_INFINITY);
}

function compact(compacted: Compacted): Outcome {
  switch (compacted.kind) {
    case 'done': {
      const { name, before, after } = compacted;
      const sizes = `${before.bytes} bytes, ${before.records} records, now ${after.bytes} bytes, ${after.records} records`;
      return success(`${name}: ${before.bytes === after.bytes ? 'nothing to drop, ' : ''}${sizes}\n`);
    }
    case 'live':
      return failure(
        EXIT.held,
        `cannot compact "${compacted.path}": its task is running; its supervisor does so by itself when the log has grown`,
      );
    case 'unsound':
      return failure(EXIT.data, `cannot compact "${compacted.path}": ${compacted.fault}`);
    case 'refused':
      return failure(EXIT.unavailable, `cannot compact "${compacted.path}": ${compacted.cause}`);
  }
}
