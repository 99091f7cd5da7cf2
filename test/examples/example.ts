import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, type Output } from '../support/output.ts';
import { faultsOfLog, type Line, readRecords } from '../support/records.ts';

const root = join(import.meta.dirname, '../..');

/** An example below gsup, both real. */
export interface Example {
  readonly stdout: Output;
  readonly stderr: Output;
  signal(signal: NodeJS.Signals): void;
  /** Exit code of gsup, once it has ended. Fails when a signal has ended it, or its log is not sound. */
  ended(): Promise<number>;
  records(): Line[];
}

/** The command that the comment at the head of an example gives: what follows `gsup run`, or `gsup up`, in words. */
export function commandOf(example: string): string[] {
  const head = readFileSync(join(root, 'examples', example), 'utf8');
  const line = head.match(/^(?:#|\/\/) {3}gsup (?:run|up) (.*)$/m);
  if (!line?.[1]) throw new Error(`no command in the comment of "${example}"`);
  return line[1].split(' ');
}

export interface Around {
  readonly command?: 'run' | 'up';
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `bin/gsup` with these words, as a user would, and with a state directory that is gone afterwards. */
export async function withExample(
  words: readonly string[],
  body: (example: Example) => Promise<void>,
  { command = 'run', env = {} }: Around = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-example-'));
  const gsup = spawn(join(root, 'bin/gsup'), [command, '--state-dir', folder, '--name', 't', ...words], {
    cwd: root,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const over = new Promise<number | null>((resolve) => gsup.once('close', resolve));
  const stderr = collect(gsup.stderr);
  const task = join(folder, 't');
  const ended = async () => {
    const code = await over;
    const faults = faultsOfLog(task, 'init.log');
    if (code === null) faults.push(`${gsup.signalCode} has ended gsup`);
    if (faults.length > 0) throw new Error(`${faults.join('\n')}\n${stderr.text()}`);
    return code as number;
  };
  try {
    await body({
      stdout: collect(gsup.stdout),
      stderr,
      signal: (signal) => void gsup.kill(signal),
      ended,
      records: () => readRecords(task),
    });
  } finally {
    await stop(gsup, over);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Three requests: after the third nothing below gsup is left, whatever it is. */
async function stop(gsup: ReturnType<typeof spawn>, over: Promise<unknown>): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) {
    if (gsup.exitCode !== null || gsup.signalCode !== null) return;
    gsup.kill(signal);
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
  }
}
