/** The control socket in the supervisor: who connects first has the server loaded, so that a start does not pay for it. */
import { fstatSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { CONNECTIONS_MAX } from './limits.ts';
import type { ControlServer } from './server.ts';

export interface Control {
  close(): Promise<void>;
}

/**
 * `fd`: a socket that listens, and stays open when this process ends. `load` is called once. Where there is no socket there
 * are no clients.
 */
export function listenForClients(fd: number, load: () => Promise<ControlServer>): Control {
  let loaded: Promise<ControlServer> | null = null;
  const give = (socket: Socket): void => {
    // Of a client that has gone meanwhile.
    socket.on('error', () => {});
    loaded ??= load();
    loaded.then(
      ({ accept }) => accept(socket),
      () => {
        // An installation that is being replaced may be whole again when the next one comes.
        loaded = null;
        socket.destroy();
      },
    );
  };
  // As an HTTP server of Node is: a client may say that it has no more to ask, and wait for the answer.
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, give);
  server.maxConnections = CONNECTIONS_MAX;
  server.on('error', () => {});
  // Behind the first turn of the loop: whatever has to be started is asked for before.
  const begin = isSocket(fd) ? setImmediate(() => server.listen({ fd })) : undefined;
  return {
    async close() {
      clearImmediate(begin);
      server.close();
      await loaded?.then((control) => control.close());
    },
  };
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}
