/**
 * The control API over TCP, in the supervisor: init knows nothing of it. A supervisor that takes over listens anew, and until
 * then connections are refused.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { CONNECTIONS_MAX } from './limits.ts';
import { addressText, type TcpAddress } from './tcp-address.ts';

export interface TcpListener {
  /**
   * Resolves when it listens, with null, or with why it cannot. `lasting`: it is tried again until it does, and what is in the
   * way is told.
   */
  open(lasting: boolean): Promise<string | null>;
  close(): void;
}

export interface TcpWorld {
  readonly give: (socket: Socket) => void;
  readonly say: (news: TcpNews) => void;
}

export type TcpNews =
  | { readonly kind: 'tcp-open'; readonly address: string }
  | { readonly kind: 'tcp-refused'; readonly problem: string };

/** A name may have to be asked for, and a server for names may be silent. */
const OPEN_WITHIN_MS = 5000;
const KEEPALIVE_MS = 60_000;
const AGAIN_FIRST_MS = 200;
const AGAIN_LAST_MS = 30_000;

export function createTcpListener(address: TcpAddress, { give, say }: TcpWorld): TcpListener {
  const text = addressText(address);
  let server: Server | null = null;
  let again: NodeJS.Timeout | undefined;
  let closed = false;

  const attempt = async (): Promise<string | null> => {
    const made = createServer(
      {
        pauseOnConnect: true,
        allowHalfOpen: true,
        noDelay: true,
        // Who follows a stream and is cut off without a word is found out.
        keepAlive: true,
        keepAliveInitialDelay: KEEPALIVE_MS,
      },
      give,
    );
    made.maxConnections = CONNECTIONS_MAX;
    const cause = await listen(made, address);
    if (cause === null && closed) made.close();
    else if (cause === null) server = made;
    return cause;
  };

  const open = async (lasting: boolean, delayMs = AGAIN_FIRST_MS): Promise<string | null> => {
    const cause = await attempt();
    if (closed) return null;
    if (cause === null) {
      say({ kind: 'tcp-open', address: text });
      return null;
    }
    const problem = refusal(text, cause);
    if (!lasting) return problem;
    say({ kind: 'tcp-refused', problem });
    again = setTimeout(open, delayMs, true, Math.min(delayMs * 2, AGAIN_LAST_MS));
    return problem;
  };

  return {
    open: (lasting) => open(lasting),
    close() {
      closed = true;
      clearTimeout(again);
      server?.close();
    },
  };
}

/** null: it listens; else the code of what is in the way. SO_REUSEADDR is set by Node: what an earlier one has left in TIME_WAIT is in nobody's way. */
function listen(server: Server, { host, port }: TcpAddress): Promise<string | null> {
  return new Promise((resolve) => {
    let given = false;
    const end = (cause: string | null) => {
      clearTimeout(late);
      // Nobody is told that it listens by now.
      if (cause !== null || given) server.close();
      given = given || cause !== null;
      resolve(cause);
    };
    const late = setTimeout(() => end('ETIMEDOUT'), OPEN_WITHIN_MS);
    // Also what comes later: a connection that could not be taken is that client's business.
    server.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => end(null));
  });
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there (EADDRINUSE); stop that one, or give another port',
  EACCES: 'this user may not listen on that port (EACCES); give one of 1024 and above',
  EADDRNOTAVAIL: 'this machine has no such address (EADDRNOTAVAIL); 0.0.0.0 or [::] is all that it has',
  ENOTFOUND: 'nobody knows that name (ENOTFOUND); give an address',
  ETIMEDOUT: `whoever knows that name has not answered in ${OPEN_WITHIN_MS / 1000} s; give an address`,
};

/** Why it cannot listen there, in words. */
export function refusal(address: string, cause: string): string {
  return `cannot listen on "${address}": ${CAUSES[cause] ?? cause}`;
}
