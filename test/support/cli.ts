import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { BINARY, type Gsup } from './gsup.ts';

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Another gsup, that finds this one by its state directory. */
export function gsupCommand(gsup: Pick<Gsup, 'folder'>, ...words: string[]): Promise<Said> {
  const env = { PATH: process.env.PATH ?? '', GSUP_STATE_DIR: dirname(gsup.folder), GSUP_LOG_FORMAT: 'text' };
  const child = spawn(BINARY, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
