/** `gsup import FILE`: what others have written, as a config of gsup. */
import { statSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { causeOf } from '../config/config-files.ts';
import { problemLine } from '../config/problem.ts';
import { type Converted, convert } from '../import/convert.ts';
import { REMARK_WORDS, type Remark } from '../import/draft.ts';
import { FORMATS, type Format } from '../import/formats.ts';
import { evaluate } from '../import/pm2/evaluate.ts';
import { disk, globFiles } from '../import/world.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { realSources } from './config-sources.ts';
import { nearest } from './messages.ts';
import { type Complaint, failure, type Outcome } from './output.ts';
import type { Environment } from './parse.ts';

export interface ImportOptions {
  readonly from?: string;
  readonly output?: string;
}

export function importCommand(file: string, { from, output }: ImportOptions, env: Environment): Outcome {
  const format = from === undefined ? null : FORMATS.find((one) => one === from);
  if (format === undefined) return failure(EXIT.usage, unknownFormat(from ?? ''));
  const target = resolve(output ?? 'gsup.yaml');
  if (output !== undefined && statSync(output, { throwIfNoEntry: false }) !== undefined)
    return failure(EXIT.usage, mayNotReplace(output));
  let converted: Converted;
  try {
    converted = convertFile(file, format, target, env);
  } catch (error) {
    return failure(EXIT.config, `cannot read "${file}": a readable file is needed, got ${causeOf(error)}`);
  }
  if (converted.kind === 'unknown') return failure(EXIT.usage, converted.message);
  if (converted.kind === 'problems') return failure(EXIT.config, ...converted.problems.map(problemLine));
  const complaints = converted.remarks.map(remarkComplaint);
  if (output === undefined) return { exitCode: EXIT.success, stdout: converted.text, complaints };
  const unwritten = writeNew(output, converted.text);
  return unwritten === null ? { exitCode: EXIT.success, complaints } : failure(EXIT.usage, unwritten);
}

function unknownFormat(from: string): string {
  const near = nearest(from, FORMATS);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `cannot use "--from": one of ${FORMATS.join(', ')} is needed, got "${from}"${hint}`;
}

/** Throws what reading the file throws. `-` is standard input. */
export function convertFile(
  file: string,
  format: Format | null,
  target: string,
  env: Environment,
): Converted {
  const sources = realSources(env);
  const path = resolve(file);
  const isFolder = file !== '-' && statSync(path).isDirectory();
  const folder = file === '-' ? sources.cwd : dirname(path);
  return convert({
    ...disk,
    ...{ file: file === '-' ? 'standard input' : file, path, folder, isFolder, format, target, env },
    text: isFolder ? '' : file === '-' ? sources.readStdin() : disk.readFile(path),
    targetFolder: dirname(target),
    cwd: sources.cwd,
    host: hostname(),
    processors: availableParallelism(),
    glob: (pattern) => globFiles(pattern, folder, file === '-' ? '.' : dirname(file)),
    evaluate: (module, kind, own) =>
      file === '-'
        ? { kind: 'error', message: 'JSON or YAML is needed from standard input', line: 0 }
        : evaluate(module, kind, own),
  });
}

/** One line for each thing that is not as it was. */
export function remarkComplaint({ file, line, column, kind, process, what, why }: Remark): Complaint {
  const place = line > 0 ? `${file}:${line}:${column}: ` : `${file}: `;
  const about = process === null ? what : `${process}: ${what}`;
  const sentence = `${place}${about}${REMARK_WORDS[kind]}: ${why}`;
  return { level: kind === 'hint' ? 'info' : 'warn', sentence };
}

export function mayNotReplace(path: string): string {
  return `cannot write "${path}": a new name is needed, got a file that is there`;
}

/** Never over something that is there; null: written. */
export function writeNew(path: string, text: string): string | null {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return null;
  } catch (error) {
    const code = causeOf(error);
    return code === 'EEXIST' ? mayNotReplace(path) : `cannot write "${path}": ${code}`;
  }
}
