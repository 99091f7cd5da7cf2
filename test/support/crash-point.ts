import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const source = join(import.meta.dirname, '../fixtures/crash-point.c');
const library = join(import.meta.dirname, '../../build/fixtures/crash-point.so');

/** See test/fixtures/crash-point.c: at which of its writes a supervisor ends, and how far that one comes. */
export interface CrashPoint {
  readonly write: number;
  readonly how: 'before' | 'torn' | 'after';
}

/** What each supervisor has written, in letters: r a record, q a request, X at the end of one that was ended. */
export function writesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('supervisor-'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'latin1'));
}

/** A Node for GSUP_NODE that ends supervisors at these points: the first supervisor at the first one, and so on. */
export function crashingNode(folder: string, points: readonly CrashPoint[]): string {
  if (!existsSync(library) || statSync(library).mtimeMs < statSync(source).mtimeMs) compile();
  const said = points.map(({ write, how }) => `${write}:${how}`).join(',') || '-1:after';
  const node = join(folder, 'node');
  const environment = `LD_PRELOAD='${library}' CRASH_FOLDER='${folder}' CRASH_POINTS=${said}`;
  writeFileSync(node, `#!/bin/sh\n${environment} exec '${process.execPath}' "$@"\n`, { mode: 0o755 });
  return node;
}

function compile(): void {
  mkdirSync(join(library, '..'), { recursive: true });
  const draft = `${library}.${process.pid}`;
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror'];
  const compiled = spawnSync(process.env.CC ?? 'cc', [...flags, '-o', draft, source], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`cannot compile "${source}": ${compiled.stderr}`);
  renameSync(draft, library);
}
