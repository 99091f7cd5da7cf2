/** `gsup top` on a terminal: events in, the screen and requests out, until somebody leaves or the task has ended. */
import type { Client } from '../control/client.ts';
import type { Status } from '../report/status.ts';
import { type Model, newModel, type TopEffect, type TopEvent } from './model.ts';
import { type Output, openOutput } from './output.ts';
import { render } from './render.ts';
import { ask } from './requests.ts';
import { type Frame, updateScreen } from './screen.ts';
import type { SortKey } from './sort.ts';
import type { Terminal, TerminalEvents } from './terminal.ts';
import { update } from './update.ts';

export type TopEnd =
  | { readonly kind: 'left' }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  /** The task has ended; its last status. */
  | { readonly kind: 'ended'; readonly status: Status };

/** What the task is like now. */
export interface Look {
  readonly status: Status;
  readonly silent: string | null;
  readonly ended: boolean;
}

export interface TopWorld {
  readonly client: Client;
  readonly look: (before: Status | undefined) => Promise<Look>;
  readonly open: (events: TerminalEvents) => Terminal;
  readonly nowMs: () => number;
  readonly colour: boolean;
  readonly everyMs: number;
  readonly sort: SortKey;
}

/** A look that takes long is followed by a pause as long, so that looking is never what a supervisor mostly does. */
const PAUSE_PER_LOOK = 1;
/** What is on the screen is older than it looks. */
const LATE_MS = 3000;

export async function runTop(world: TopWorld): Promise<TopEnd> {
  const { client } = world;
  let over: (end: TopEnd) => void = () => {};
  let failed: (error: unknown) => void = () => {};
  const end = new Promise<TopEnd>((resolve, reject) => {
    over = resolve;
    failed = reject;
  });
  const terminal = world.open({
    onKey: (key) => tell({ kind: 'key', key }),
    onSize: (size) => tell({ kind: 'size', size }),
    onResume: () => tell({ kind: 'size', size: terminal.size() }),
    onEnd: (signal) => over({ kind: 'signal', signal }),
  });
  let model: Model = newModel({
    task: client.task,
    size: terminal.size(),
    sort: world.sort,
    reversed: false,
  });
  let drawn: Frame | null = null;
  let output: Output | null = null;
  let isClosed = false;
  const closeOutput = (): void => {
    output?.close();
    output = null;
  };
  const looking = keepLooking(world, () => model.status ?? undefined, {
    seen: ({ status, silent }) => tell({ kind: 'status', status, silent, nowMs: world.nowMs() }),
    late: () => tell({ kind: 'late' }),
    ended: (status) => over({ kind: 'ended', status }),
    failed,
  });
  const draw = (): void => {
    const frame = render(model);
    terminal.write(updateScreen(drawn, frame, model.size, world.colour));
    drawn = frame;
  };
  const perform = (effect: TopEffect): void => {
    switch (effect.kind) {
      case 'quit':
        over({ kind: 'left' });
        break;
      case 'suspend':
        terminal.suspend();
        break;
      case 'repaint':
        drawn = null;
        break;
      case 'look':
        looking.now();
        break;
      case 'ask':
        ask(client, effect).then(tell, failed);
        break;
      case 'open-output':
        output = openOutput(client.folder, effect.process, tell);
        break;
      case 'close-output':
        closeOutput();
    }
  };
  function tell(event: TopEvent): void {
    // An answer may come when the terminal is somebody else's again.
    if (isClosed) return;
    try {
      const step = update(model, event);
      model = step.model;
      for (const effect of step.effects) perform(effect);
      draw();
    } catch (error) {
      failed(error);
    }
  }
  try {
    draw();
    looking.now();
    return await end;
  } finally {
    isClosed = true;
    looking.stop();
    closeOutput();
    terminal.close();
  }
}

interface Looking {
  /** As soon as the look that is under way is over. */
  readonly now: () => void;
  readonly stop: () => void;
}

function keepLooking(
  world: TopWorld,
  before: () => Status | undefined,
  to: {
    readonly seen: (look: Look) => void;
    readonly late: () => void;
    readonly ended: (status: Status) => void;
    readonly failed: (error: unknown) => void;
  },
): Looking {
  let timer: NodeJS.Timeout | undefined;
  let isBusy = false;
  let again = false;
  let isOver = false;
  const look = async (): Promise<void> => {
    isBusy = true;
    again = false;
    const beganMs = performance.now();
    const late = setTimeout(to.late, LATE_MS);
    const found = await world.look(before()).finally(() => clearTimeout(late));
    const tookMs = performance.now() - beganMs;
    isBusy = false;
    if (isOver) return;
    to.seen(found);
    if (found.ended) return to.ended(found.status);
    timer = setTimeout(now, again ? 0 : Math.max(world.everyMs, tookMs * PAUSE_PER_LOOK));
  };
  const now = (): void => {
    clearTimeout(timer);
    if (isBusy) again = true;
    else if (!isOver) look().catch(to.failed);
  };
  return {
    now,
    stop: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
