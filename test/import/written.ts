// Files in a folder that is gone afterwards, and what gsup import makes of them, in this process.
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { type ImportOptions, importCommand } from '../../src/cli/import.ts';
import { complaintLines } from '../../src/cli/output.ts';
import { configOf } from './stand-ins.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** By path; what begins with `#!` is executable. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gsup-import-')));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    if (text.startsWith('#!')) chmodSync(path, 0o755);
  }
  return folder;
}

export interface Result {
  readonly code: number;
  readonly text: string;
  /** Lines on stderr, the folder taken out of them. */
  readonly said: readonly string[];
  readonly process: (name: string) => Record<string, unknown> | undefined;
}

export function importIn(folder: string, file: string, options: ImportOptions = {}, env = {}): Result {
  const { exitCode, stdout = '', complaints = [] } = importCommand(join(folder, file), options, env);
  const said = complaintLines(complaints, 'text').replaceAll(`${folder}/`, '').split('\n').filter(Boolean);
  return {
    code: exitCode,
    text: stdout,
    said,
    process: (name) => (exitCode === 0 ? configOf(stdout).processes[name] : undefined),
  };
}

/** One file, and what comes of it. */
export function importText(name: string, text: string, options: ImportOptions = {}, env = {}): Result {
  return importIn(folderWith({ [name]: text }), name, options, env);
}
