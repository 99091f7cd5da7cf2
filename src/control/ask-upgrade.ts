/** An upgrade ends the supervisor that was asked for it, mostly before its answer is out: the log tells whether it has heard. */
import type { Done } from './client.ts';
import { type ControlError, call, readJson } from './connection.ts';
import { readEvents } from './event-reader.ts';

/** Asked again only where the log knows nothing of it: twice would be two upgrades. */
export async function askUpgrade(folder: string, installation: string, timeoutMs: number): Promise<Done> {
  const beganNs = process.hrtime.bigint();
  const end = performance.now() + timeoutMs;
  const ask = { method: 'POST', path: '/v1/upgrade', body: { installation }, once: true } as const;
  for (;;) {
    try {
      const left = Math.max(1, end - performance.now());
      return (await readJson(await call(folder, { ...ask, timeoutMs: left }))) as Done;
    } catch (error) {
      const isCut = (error as Partial<ControlError>).code === 'no-answer' || isConnection(error);
      if (!isCut) throw error;
      if (await isAsked(folder, installation, beganNs)) return { processes: [], unchanged: [] };
      if (performance.now() >= end) throw error;
    }
  }
}

/** In the middle of an answer. */
function isConnection(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

async function isAsked(folder: string, installation: string, beganNs: bigint): Promise<boolean> {
  for await (const { record } of readEvents(folder, { follow: false }))
    if (
      record.type === 'upgrade' &&
      record.state === 'requested' &&
      record.installation === installation &&
      BigInt(record.mono_ns as string) >= beganNs
    )
      return true;
  return false;
}
