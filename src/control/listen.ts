/** The control socket in the supervisor: who connects first has the server loaded, so that a start does not pay for it. */
import { fstatSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { CONNECTIONS_MAX } from './limits.ts';
import type { ControlServer } from './server.ts';

/** From where a client has come: the unix socket is its owner's alone, the network is everybody's. */
export type Via = 'unix' | 'tcp';

/** `load` is called once, by the first who comes. */
export interface Door {
  give(socket: Socket, via: Via): void;
  isConnected(): boolean;
  /** `parted` is called whenever the last client has gone. */
  watch(parted: () => void): void;
  close(): Promise<void>;
}

export function createDoor(load: () => Promise<ControlServer>): Door {
  let loaded: Promise<ControlServer> | null = null;
  let connected = 0;
  let parted = (): void => {};
  return {
    give(socket, via) {
      connected++;
      socket.on('close', () => {
        if (--connected === 0) parted();
      });
      // Of a client that has gone meanwhile.
      socket.on('error', () => {});
      loaded ??= load();
      loaded.then(
        ({ accept }) => accept(socket, via),
        () => {
          // An installation that is being replaced may be whole again when the next one comes.
          loaded = null;
          socket.destroy();
        },
      );
    },
    isConnected: () => connected > 0,
    watch(told) {
      parted = told;
    },
    close: async () => loaded?.then((control) => control.close()),
  };
}

/**
 * `fd`: a socket that listens, and stays open when this process ends. Where there is no socket there are no clients. Returns
 * the way to end it.
 */
export function listenOnSocket(fd: number, { give }: Door): () => void {
  // As an HTTP server of Node is: a client may say that it has no more to ask, and wait for the answer.
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
    give(socket, 'unix'),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('error', () => {});
  // Behind the first turn of the loop: whatever has to be started is asked for before.
  const begin = isSocket(fd) ? setImmediate(() => server.listen({ fd })) : undefined;
  return () => {
    clearImmediate(begin);
    // At once: whoever was accepted before has been given to us.
    server.close();
  };
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}
