/** Asks whether somebody accepts a connection. */
import { connect } from 'node:net';

export interface TcpQuestion {
  readonly host: string;
  readonly port: number;
}

/** Calls back once, later, within `timeoutMs`. */
export function askTcp(
  { host, port }: TcpQuestion,
  timeoutMs: number,
  done: (ok: boolean, detail: string) => void,
): void {
  let settled = false;
  const settle = (ok: boolean, detail: string): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    socket.destroy();
    done(ok, detail);
  };
  const socket = connect({ host, port })
    .on('connect', () => settle(true, 'connected'))
    .on('error', (error: NodeJS.ErrnoException) => settle(false, error.code ?? error.message));
  const timer = setTimeout(() => settle(false, 'no answer in time'), timeoutMs);
}
