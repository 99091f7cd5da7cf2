/**
 * An ecosystem file in JavaScript is a program, so it is run: in a Node.js of its own, which may read files and nothing
 * else (no writing, no other process, no thread, no addon: Node's permission model), for EVALUATION_MS at most.
 */
import { spawnSync } from 'node:child_process';
import type { Environment } from '../../cli/parse.ts';
import { MAX_CONFIG_BYTES } from '../../config/yaml.ts';

/** A config that computes for longer does something else. */
export const EVALUATION_MS = 10_000;

/** In MB: it makes a list of some apps. */
const MAX_HEAP = 256;

export type Evaluated =
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'error'; readonly message: string; readonly line: number };

/** The answer goes to descriptor 3: what the config prints is lost. */
const PROGRAM = `
const { writeSync, readFileSync } = require('node:fs');
const [, path, kind] = process.argv;
async function load() {
  if (kind === 'expression') {
    return require('node:vm').runInNewContext('(' + readFileSync(path, 'utf8') + '\\n)', {}, { filename: path });
  }
  const found = path.endsWith('.mjs') ? await fromModule() : await fromEither();
  return found && found.default !== undefined && !found.apps ? found.default : found;
}
async function fromEither() {
  try { return require(path); }
  catch (error) { if (error.code !== 'ERR_REQUIRE_ESM') throw error; return fromModule(); }
}
function fromModule() { return import(require('node:url').pathToFileURL(path)); }
function tell(answer) {
  const bytes = Buffer.from(JSON.stringify(answer));
  for (let at = 0; at < bytes.length; ) at += writeSync(3, bytes, at);
  process.exit(0);
}
load().then((value) => tell({ value }), (error) => tell({
  error: String((error && error.message) || error).slice(0, 500),
  stack: String((error && error.stack) || '').slice(0, 5000),
}));
`;

/** `path`: absolute. `expression`: JSON as PM2 reads it, with comments and without quotes. */
export function evaluate(
  path: string,
  kind: 'module' | 'expression',
  env: Environment,
  timeoutMs = EVALUATION_MS,
): Evaluated {
  const { NODE_OPTIONS: _, ...rest } = env;
  const ended = spawnSync(
    process.execPath,
    [...permissions(), `--max-old-space-size=${MAX_HEAP}`, '-e', PROGRAM, path, kind],
    {
      env: rest as NodeJS.ProcessEnv,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_CONFIG_BYTES,
    },
  );
  const code = (ended.error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ETIMEDOUT') return failed(`it has not come to an end within ${timeoutMs / 1000} s`);
  if (code === 'ENOBUFS') return failed(`it says more than ${MAX_CONFIG_BYTES} bytes`);
  if (code !== undefined) return failed(`Node.js cannot be started (${code})`);
  return readAnswer(String(ended.output?.[3] ?? ''), path);
}

/** The flag has lost its prefix in Node.js 23.5 and 22.13. */
function permissions(): string[] {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  return [flag, '--allow-fs-read=*'];
}

function failed(message: string, line = 0): Evaluated {
  return { kind: 'error', message, line };
}

function readAnswer(text: string, path: string): Evaluated {
  let answer: { value?: unknown; error?: string; stack?: string };
  try {
    answer = JSON.parse(text);
  } catch {
    return failed('it has ended its own process');
  }
  if (answer.error === undefined)
    return answer.value === undefined
      ? failed('it exports nothing')
      : { kind: 'json', text: JSON.stringify(answer.value) };
  const stack = answer.stack ?? '';
  const at = stack.indexOf(`${path}:`);
  const line = at < 0 ? 0 : Number(/^\d+/.exec(stack.slice(at + path.length + 1))?.[0] ?? 0);
  const isRefused =
    /ERR_ACCESS_DENIED/.test(stack) || /Access to this API has been restricted/.test(answer.error);
  if (isRefused) return failed('it may read files, and do nothing else', line);
  // Behind its first line Node.js lists who has asked for it.
  const [message = ''] = answer.error.split('\n');
  const isMissing = /^Cannot find (?:package|module) '[^./]/.test(message);
  return failed(
    isMissing ? `${message.replace(/ imported from .*/, '')}; install what it needs first` : message,
    line,
  );
}
