/** Where clients of a supervisor come in: the control socket, and TCP where that was asked for. What they need is loaded when it is needed. */
import type { HttpConfig } from '../config/run-config.ts';
import type { LogPlace } from '../control/feed.ts';
import { createDoor, type Door, listenOnSocket } from '../control/listen.ts';
import type { ControlServer } from '../control/server.ts';
import type { Sources } from '../control/sources.ts';
import type { TcpListener } from '../control/tcp-listener.ts';
import { realClock } from '../host/clock.ts';
import type { Reporter } from '../report/reporter.ts';
import { EXIT } from '../signals/exit-codes.ts';
import type { Loop } from '../supervisor/loop.ts';

/** The descriptor that init listens on, and gives a supervisor. */
const CONTROL_SOCKET = 8;

export interface Clients {
  /**
   * Before anything is started: TCP. `isFirst`: nothing of the task is there yet, so that what is wrong with it is reason enough
   * not to begin; a later supervisor tries again, beside its work. null: go on.
   */
  prepare(isFirst: boolean): Promise<Refusal | null>;
  /** Takes them from now on. */
  open(): void;
  /** Somebody is there, or could come at any time where only a supervisor listens. */
  isConnected(): boolean;
  /** `parted` is called whenever the last one has gone. */
  watch(parted: () => void): void;
  /** Takes no more of them; they wait at the socket for the next supervisor. */
  shut(): void;
  close(): Promise<void>;
}

export interface Refusal {
  readonly exitCode: number;
  readonly message: string;
}

export function createClients(
  loop: Loop,
  place: LogPlace,
  http: HttpConfig | null,
  reporter: Reporter,
  counts: Sources['counts'],
): Clients {
  let warned: string | null = null;
  const warn = (sentence: string): void => {
    if (sentence !== warned) reporter.say({ kind: 'token-open', sentence });
    warned = sentence;
  };
  const door = createDoor(() => serve(loop, place, http, reporter, counts, warn));
  let closeSocket = (): void => {};
  let tcp: TcpListener | null = null;
  return {
    async prepare(isFirst) {
      if (http === null) return null;
      const unusable = isFirst ? await tokenProblem(http, warn) : null;
      if (unusable !== null) return { exitCode: EXIT.usage, message: unusable };
      tcp = await tcpListener(http, door, reporter);
      const opened = tcp.open(!isFirst);
      const refused = isFirst ? await opened : null;
      return refused === null ? null : { exitCode: EXIT.unavailable, message: refused };
    },
    open() {
      closeSocket = listenOnSocket(CONTROL_SOCKET, door);
    },
    isConnected: () => http !== null || door.isConnected(),
    watch: (parted) => door.watch(parted),
    shut: () => closeSocket(),
    async close() {
      closeSocket();
      tcp?.close();
      await door.close();
    },
  };
}

async function tcpListener(
  { address }: HttpConfig,
  { give }: Door,
  reporter: Reporter,
): Promise<TcpListener> {
  const { createTcpListener } = await import('../control/tcp-listener.ts');
  return createTcpListener(address, {
    give: (socket) => give(socket, 'tcp'),
    say: (news) => reporter.say(news),
  });
}

async function tokenProblem(
  { tokenFile }: HttpConfig,
  warn: (sentence: string) => void,
): Promise<string | null> {
  if (tokenFile === null) return null;
  const { readTokenFile } = await import('../control/token-file.ts');
  const read = await readTokenFile(tokenFile, ownUid());
  if ('problem' in read) return read.problem;
  if (read.warning !== undefined) warn(read.warning);
  return null;
}

async function serve(
  { request, state }: Loop,
  place: LogPlace,
  http: HttpConfig | null,
  reporter: Reporter,
  counts: Sources['counts'],
  warn: (sentence: string) => void,
): Promise<ControlServer> {
  const { createControlServer } = await import('../control/server.ts');
  const complain = (problem: string) => reporter.say({ kind: 'token-refused', problem });
  const tcp = http && { ...http, uid: ownUid(), complain, warn };
  return createControlServer({ place, tcp, request, state, counts, nowNs: realClock.nowNs });
}

function ownUid(): number {
  return process.geteuid?.() ?? -1;
}
