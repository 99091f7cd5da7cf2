/** `gsup checkpoint verify|dump [FILE]`. */
import { dumpFiles, locateLogs, verifyFiles } from '../checkpoint/files.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Options } from './parse.ts';

type Logs = Extract<ReturnType<typeof locateLogs>, { path: string }>;

/** Big writes, because a log has many short lines. */
const PIECE = 64 * 1024;

export function checkpointCommand(
  what: 'verify' | 'dump',
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
