/** From where routes have what they answer. */
import type { Who } from '../checkpoint/record.ts';
import type { Counts } from '../host/host.ts';
import type { Status } from '../report/status.ts';
import type { Answer, Request } from '../supervisor/client-request.ts';
import type { State } from '../supervisor/state.ts';
import type { Feed } from './feed.ts';
import type { LogSource } from './log-stream.ts';
import type { Metrics } from './metrics.ts';

export interface Sources {
  request(request: Request, by: Who | null): Promise<Answer>;
  state(): State;
  status(usage: boolean): Promise<Status>;
  readonly feed: Feed;
  metrics(): Promise<Metrics>;
  /** What init has counted; null: it does not say. */
  counts(): Promise<Counts | null>;
  /** Of the task; null: there is none on disk. */
  readonly folder: string | null;
  /** null: where there is no folder, nothing is kept. */
  readonly logs: LogSource | null;
  /** Tells this start of the task from others. */
  id(): string;
  /** The task ends: what is streamed comes to its end. */
  readonly closing: AbortSignal;
}
