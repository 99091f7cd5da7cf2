import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { buildSync } from 'esbuild';
import type { Host, HostNews } from '../../src/host/host.ts';
import type { RunSnapshot } from '../../src/supervisor/vocabulary.ts';
import { fixture } from '../support/fixtures.ts';
import type { Ended } from '../support/gsup.ts';
import { until } from '../support/until.ts';
import { fromJson, toJson } from './relay-json.ts';

/** A host in a process of its own below a warden, its news, and what its children print. */
export interface World {
  readonly host: Omit<Host, 'open' | 'close'>;
  readonly dir: string;
  /** The process that a user would signal, as seen from here. */
  readonly pid: number;
  readonly news: readonly HostNews[];
  readonly lines: readonly string[];
  /** What the kernel had left when it ended. */
  readonly ended: Ended | null;
  /** The run as it was told last. */
  run(key: number): RunSnapshot | undefined;
  until<T>(what: string, probe: () => T | undefined | null | false): Promise<T>;
  close(): Promise<void>;
}

export interface WorldCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** PID 1 of a namespace. */
  readonly namespace: boolean;
}

/** Start what `command` says of a bundled relay, and wait until it has connected. */
export async function openWorld(command: (relay: string, dir: string) => WorldCommand): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'gsup-host-'));
  relay ??= bundleRelay();
  const relayed = createRelayedHost(join(dir, 'relay.sock'));
  const { argv, env, namespace } = command(relay, dir);
  const warden = spawn(fixture('warden'), [...(namespace ? ['--namespace'] : []), '--', ...argv], {
    cwd: dir,
    env: { ...process.env, ...env, GSUP_RELAY_SOCKET: join(dir, 'relay.sock'), GSUP_TEST_INHERITED: 'yes' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const gone = new Promise((resolve) => warden.once('close', resolve));
  const lines = linesOf(warden.stdout);
  const complaints = linesOf(warden.stderr);
  const report = linesOf(warden.stdio[3] as Readable);
  const reported = <T>(event: string): T | null => {
    const line = report.find((text) => text.includes(`"event":"${event}"`));
    return line === undefined ? null : (JSON.parse(line) as T);
  };
  const tell = (): string =>
    toJson({
      news: relayed.news.slice(-4),
      lines: lines.slice(-9),
      complaints: complaints.slice(-9),
      report,
    });
  const look = <T>(what: string, probe: () => T | undefined | null | false): Promise<T> =>
    until(what, probe, 20_000, tell);
  const close = async (): Promise<void> => {
    warden.kill('SIGTERM');
    await gone;
    relayed.close();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await look('a relay', () => relayed.connected() || reported('ended') !== null);
    if (!relayed.connected()) throw new Error(`ended before it had a supervisor: ${tell()}`);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    host: relayed.host,
    dir,
    pid: reported<{ pid: number }>('started')?.pid ?? 0,
    news: relayed.news,
    lines,
    get ended() {
      return reported<Ended>('ended');
    },
    run: (key) => relayed.runs.get(key),
    until: look,
    close,
  };
}

/** The other end of fixtures/relay.ts. */
export function createRelayedHost(path: string) {
  const news: HostNews[] = [];
  const runs = new Map<number, RunSnapshot>();
  let socket: Socket | null = null;
  const server = createServer((connected) => {
    socket = connected;
    linesOf(connected, (line) => {
      const item = fromJson(line) as HostNews;
      news.push(item);
      if (item.kind === 'run') runs.set(item.run.key, item.run);
    });
  }).listen(path);
  const request =
    (method: string) =>
    (...args: unknown[]): void => {
      socket?.write(`${toJson([method, ...args])}\n`);
    };
  return {
    host: {
      spawn: request('spawn'),
      rung: request('rung'),
      signal: request('signal'),
      forget: request('forget'),
      exit: request('exit'),
      clear: request('clear'),
      upgrade: request('upgrade'),
      seen: request('seen'),
      leave: request('leave'),
    },
    news,
    runs,
    connected: () => socket !== null,
    close: () => {
      socket?.destroy();
      server.close();
    },
  };
}

function linesOf(stream: Readable | null, onLine: (line: string) => void = () => {}): string[] {
  const lines: string[] = [];
  if (stream === null) return lines;
  // Reset by a peer that has left; readline passes such errors on.
  stream.on('error', () => {});
  const reader = createInterface({ input: stream });
  reader.on('error' as 'close', () => {});
  reader.on('line', (line) => {
    lines.push(line);
    onLine(line);
  });
  return lines;
}

let relay: string | null = null;

/** fixtures/relay.ts as one file that any Node can run. Test workers make it beside each other, so each renames its own. */
export function bundleRelay(): string {
  const outfile = join(import.meta.dirname, '../../build/host-relay.mjs');
  const draft = `${outfile}.${process.pid}.mjs`;
  // The synchronous one leaves no service process behind.
  buildSync({
    entryPoints: [join(import.meta.dirname, 'fixtures/relay.ts')],
    outfile: draft,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  renameSync(draft, outfile);
  return outfile;
}
