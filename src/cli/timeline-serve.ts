/** `gsup timeline --serve`: the same page, from a web server of this machine's own, moving as the task goes on. */
import type { TaskFolder } from '../checkpoint/task-folders.ts';
import { addressText, type TcpAddress } from '../control/tcp-address.ts';
import { refusal } from '../control/tcp-listener.ts';
import type { Source } from '../report/timeline/live.ts';
import { createTimelineBook, type Timeline } from '../report/timeline/model.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { followTask } from './follow-task.ts';
import { failure, type Outcome, success } from './output.ts';
import { parseTcpAddress } from './probe-spec.ts';
import { createTimelineServer } from './timeline-server.ts';

export interface ServeWorld {
  readonly page: string;
  readonly print: (text: string) => void;
  readonly say: (sentence: string) => void;
  /** Resolves when somebody wants an end of it. */
  readonly asked: Promise<unknown>;
  readonly nowNs: () => bigint;
}

/** What is served: a task as it goes on, or a timeline that nobody adds to any more. */
export type Served = { readonly folder: Pick<TaskFolder, 'path' | 'name'> } | { readonly timeline: Timeline };

/** A task that restarts something each second for hours: more lanes than anybody looks at. */
const LANES_MAX = 10_000;

/** By itself this machine alone, on a port that is free. undefined: it is no address. */
export function addressOf(text: string | undefined): TcpAddress | undefined {
  if (text === undefined) return { host: '127.0.0.1', port: 0 };
  return text.includes(':') ? parseTcpAddress(text) : undefined;
}

export async function serveTimeline(
  served: Served,
  address: TcpAddress,
  world: ServeWorld,
): Promise<Outcome> {
  const book = createTimelineBook(LANES_MAX);
  let source: Source = 'timeline' in served ? 'file' : 'live';
  let timeline = 'timeline' in served ? served.timeline : null;
  const server = createTimelineServer({
    address,
    page: world.page,
    known() {
      timeline ??= book.timeline();
      return { timeline, source };
    },
    ageMs: () => Number(world.nowNs() - (book.beganNs() ?? world.nowNs())) / 1e6,
  });
  const over = new AbortController();
  try {
    const bound = await server.listen();
    world.print(`http://${addressText(bound)}/#${server.token}\n`);
  } catch (error) {
    server.close();
    const { code, message } = error as NodeJS.ErrnoException;
    return failure(EXIT.unavailable, refusal(addressText(address), code ?? message));
  }
  const follower = {
    over: over.signal,
    learn(record: Parameters<typeof book.learn>[0]) {
      book.learn(record);
      timeline = null;
      server.changed();
    },
    turn(next: Source) {
      if (next === 'ended' && source !== 'ended') world.say(ENDED);
      source = next;
      server.changed();
    },
  };
  const following = 'folder' in served ? followTask(served.folder, follower) : Promise.resolve();
  await world.asked;
  over.abort();
  server.close();
  await following;
  return success('');
}

const ENDED = 'the task has ended; its page stays until ^C';
