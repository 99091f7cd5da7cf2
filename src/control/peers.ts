/** Who has asked: pid and uid of a client, as the kernel knows them of its connection. Node cannot ask for that, init's program can. */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Who } from '../checkpoint/record.ts';

export interface Peers {
  /** null: it is not to be known, as where the client has gone already. Never rejects. */
  of(socket: Socket): Promise<Who | null>;
}

/** The program that init is, also where its file has been replaced meanwhile. */
const PROGRAM = `/proc/${process.ppid}/exe`;
/** Connections that one start of it is asked about; more wait for the next. */
const AT_ONCE_MAX = 16;
/** It needs a millisecond; a request does not wait long for who has made it. */
const WITHIN_MS = 2000;

interface Question {
  readonly socket: Socket;
  readonly answer: (who: Who | null) => void;
}

export function createPeers(program = PROGRAM): Peers {
  const waiting: Question[] = [];
  let asking = false;
  /** An init of an earlier version cannot tell, and does not learn it. */
  let isAble = true;

  const next = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    while (waiting.length > 0) {
      const some = waiting.splice(0, AT_ONCE_MAX);
      const alive = some.filter(({ socket }) => isAble && !socket.destroyed);
      const told =
        alive.length === 0
          ? []
          : await ask(
              program,
              alive.map(({ socket }) => socket),
            );
      if (told === null) isAble = false;
      for (const { answer, socket } of some) {
        const at = alive.findIndex((each) => each.socket === socket);
        answer(told?.[at] ?? null);
      }
    }
    asking = false;
  };

  return {
    of: (socket) =>
      new Promise((answer) => {
        waiting.push({ socket, answer });
        void next();
      }),
  };
}

/** In their order. null: it does not know how to tell. */
function ask(program: string, sockets: readonly Socket[]): Promise<Who[] | null> {
  return new Promise((resolve) => {
    try {
      // Not below 3: Node would take their O_NONBLOCK from there, and that of our own end with it.
      const stdio = ['ignore', 'pipe', 'ignore', ...sockets] as const;
      const env = { GSUP_INIT: 'peers' };
      const child = spawn(program, ['peers'], {
        stdio: [...stdio],
        env,
        timeout: WITHIN_MS,
        killSignal: 'SIGKILL',
      });
      let text = '';
      child.stdout?.setEncoding('latin1').on('data', (part: string) => {
        text += part;
      });
      child.on('error', () => resolve([]));
      child.on('close', (code) => {
        const who = linesOf(text);
        // One too few tells nothing of the others: which one it is of cannot be known.
        resolve(code === 0 ? (who.length === sockets.length ? who : []) : code === null ? [] : null);
      });
    } catch {
      // A socket that was closed in this moment.
      resolve([]);
    }
  });
}

function linesOf(text: string): Who[] {
  return [...text.matchAll(/^(\d+) (\d+)$/gm)].map(([, pid, uid]) => ({
    pid: Number(pid),
    uid: Number(uid),
  }));
}
