import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import type { Host, HostNews } from '../../src/host/host.ts';
import type { RunSnapshot } from '../../src/supervisor/vocabulary.ts';
import { fromJson, toJson } from './relay-json.ts';

/** A host in a process of its own, its news, and what its children print. */
export interface World {
  readonly host: Omit<Host, 'open' | 'close'>;
  readonly dir: string;
  /** The process that was started; not always gsup itself. */
  readonly pid: number;
  readonly news: readonly HostNews[];
  readonly lines: readonly string[];
  readonly ended: { readonly code: number | null; readonly signal: string | null } | null;
  /** The run as it was told last. */
  run(key: number): RunSnapshot | undefined;
  /** Wait until `find` finds something; it is asked again after every piece of news, line, and the end. */
  until<T>(find: () => T | undefined | false): Promise<T>;
  close(): Promise<void>;
}

/** A TypeScript program as one file that any Node can run. */
export function bundle(entry: string, outfile: string): void {
  // The synchronous one leaves no service process behind.
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
}

export interface WorldCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** It is the relay itself, and ends when the test lets go of it. */
  readonly endsWithItsSocket: boolean;
}

/** Start what `command` says of a bundled relay, and wait until it has connected. */
export async function openWorld(command: (relay: string) => WorldCommand): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'gsup-host-'));
  const relay = join(dir, 'relay.mjs');
  bundle(new URL('fixtures/relay.ts', import.meta.url).pathname, relay);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(dir, 'relay.sock'), resolve));
  const { argv, env, endsWithItsSocket } = command(relay);
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    cwd: dir,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env, GSUP_RELAY_SOCKET: join(dir, 'relay.sock'), GSUP_TEST_INHERITED: 'yes' },
  });
  return createWorld(dir, child, server, endsWithItsSocket);
}

async function createWorld(
  dir: string,
  child: ChildProcess,
  server: Server,
  endsWithItsSocket: boolean,
): Promise<World> {
  const news: HostNews[] = [];
  const lines: string[] = [];
  const complaints: string[] = [];
  const runs = new Map<number, RunSnapshot>();
  const waiting = new Set<() => void>();
  let socket: Socket | null = null;
  let ended: World['ended'] = null;
  const changed = (): void => {
    for (const look of [...waiting]) look();
  };

  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    lines.push(line);
    changed();
  });
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    complaints.push(line);
  });
  child.on('exit', (code, signal) => {
    ended = { code, signal };
    changed();
  });
  server.once('connection', (connected) => {
    socket = connected;
    // Reset by a peer that has left; readline passes such errors on.
    connected.on('error', () => {});
    const reader = createInterface({ input: connected });
    reader.on('error' as 'close', () => {});
    reader.on('line', (line) => {
      const item = fromJson(line) as HostNews | { kind?: undefined };
      if (item.kind === undefined) return;
      news.push(item);
      if (item.kind === 'run') runs.set(item.run.key, item.run);
      changed();
    });
  });

  const request =
    (method: string) =>
    (...args: unknown[]): void => {
      socket?.write(`${toJson([method, ...args])}\n`);
    };
  const until = <T>(find: () => T | undefined | false): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(
          new Error(`not seen within 20 s; ${toJson({ news: news.slice(-5), lines, complaints, ended })}`),
        );
      }, 20_000);
      const look = (): void => {
        const found = find();
        if (found === undefined || found === false) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });

  await until(() => socket !== null || ended !== null);
  if (socket === null) throw new Error(`ended before it had a supervisor: ${toJson({ ended, complaints })}`);
  return {
    host: {
      spawn: request('spawn'),
      rung: request('rung'),
      signal: request('signal'),
      forget: request('forget'),
      exit: request('exit'),
      seen: request('seen'),
    },
    dir,
    pid: child.pid ?? 0,
    news,
    lines,
    get ended() {
      return ended;
    },
    run: (key) => runs.get(key),
    until,
    async close() {
      // A portable relay ends what a failed case has left; of a native one everything dies with its namespace.
      if (endsWithItsSocket) socket?.destroy();
      else child.kill('SIGKILL');
      await until(() => ended !== null);
      server.close();
      socket?.destroy();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
