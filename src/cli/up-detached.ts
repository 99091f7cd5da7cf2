/** `gsup up -d`, as who has asked for it sees it: waits until all is ready or something has failed, and leaves the rest in the background. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { connectTo } from '../control/client.ts';
import { escapeText } from '../report/escape.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome, success, writeAll } from './output.ts';
import type { Environment, ParsedUp } from './parse.ts';
import { isHopeless, type Seen, see } from './wait.ts';
import { watchTask } from './watch-task.ts';

/** A readiness that no start brings about is waited for 60 s by default, and several may wait for each other. */
const UP_WITHIN_MS = 300_000;
const MESSAGES_LOG = 'messages.log';

export async function upDetached({ options }: ParsedUp, env: Environment): Promise<Outcome> {
  const { GSUP_TASK_DIR: folder = '', GSUP_TASK: task = '' } = env;
  const client = connectTo(folder, task);
  const passOn = createPassOn(join(folder, MESSAGES_LOG));
  const end = await watchTask(
    client,
    async () => {
      const seen = await see(client);
      passOn();
      return judge(seen, task, folder);
    },
    UP_WITHIN_MS,
  );
  if (end !== null) return options.quiet ? { ...end, stdout: '' } : end;
  const within = `${UP_WITHIN_MS / 60_000} minutes`;
  return failure(
    EXIT.timedOut,
    `"${task}" is not ready within ${within}; it goes on in the background, and gsup status tells whom it waits for`,
  );
}

/** null: not yet. */
function judge({ status, readiness }: Seen, name: string, folder: string): Outcome | null {
  const { task } = status;
  if (task.exit_code === 0) return success(`${name}: ${task.state}, and nothing is left to run\n`);
  if (task.exit_code !== null || task.state === 'lost') {
    const code = task.exit_code ?? EXIT.internal;
    return failure(code, `"${name}" has ended before it was ready: ${task.state}, exit code ${code}`);
  }
  if (readiness?.ready)
    return success(`${name}: ready, in the background; messages are in ${folder}/${MESSAGES_LOG}\n`);
  if (task.stop !== null) return null;
  const failed = status.processes.find((process) => isHopeless(process, readiness));
  if (failed === undefined) return null;
  const what = `"${escapeText(failed.name)}" is ${failed.state}`;
  return failure(EXIT.unavailable, `${what}; "${name}" goes on without it, in the background`);
}

/** What gsup says in the background, as if it were said here. Each call passes on what has come since the last. */
function createPassOn(path: string): () => void {
  let at = 0;
  const buffer = Buffer.alloc(64 * 1024);
  return () => {
    const fd = openSync(path, 'r');
    try {
      for (let size = 1; size > 0; at += size) {
        size = readSync(fd, buffer, 0, buffer.length, at);
        writeAll(2, buffer.subarray(0, size));
      }
    } finally {
      closeSync(fd);
    }
  };
}
