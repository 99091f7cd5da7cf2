/** The line protocol of build/order-driver, over the order machine in TypeScript. */
import {
  type Action,
  beginClimb,
  type Climb,
  type Climbed,
  killClimb,
  newClimb,
  nextClimb,
  tickClimb,
} from '../../src/signals/order.ts';
import type { Order, OrderRung, Target, WaitMs } from '../../src/supervisor/vocabulary.ts';

const MS = 1_000_000n;
const wait = (text: string | undefined): WaitMs => (text === 'forever' ? null : Number(text));

/** `LEVEL MUST_DRAIN CAP COUNT SIGNAL:TARGET:WAIT:HOOK...` */
export function parseOrder(line: string): Order {
  const [level, mustDrain, cap, , ...rungs] = line.split(' ');
  return {
    level: Number(level),
    mustDrain: mustDrain === '1',
    capMs: wait(cap),
    index: null,
    deadlineNs: null,
    rungs: rungs.map(parseRung),
  };
}

function parseRung(text: string): OrderRung {
  const [signal, target, waitMs, hook] = text.split(':');
  return {
    signal: signal === '255' ? 'received' : Number(signal),
    target: target as Target,
    waitMs: wait(waitMs),
    hook: hook === '1',
  };
}

interface Driver {
  readonly climb: Climb;
  readonly supervisor: boolean;
  readonly done: boolean;
}

export function runOrder(order: Order, lines: readonly string[]): string[] {
  let driver: Driver = { climb: newClimb(order), supervisor: false, done: false };
  return lines.map((line) => {
    const [at, event = '', argument] = line.split(' ');
    const done = driver.done;
    const { climb, action, ...rest } = step(driver, event, Number(argument), BigInt(Number(at)) * MS);
    driver = { ...driver, ...rest, climb };
    return answer(event === 'empty' && !done ? 'done' : action, climb);
  });
}

/** As a supervisor has it: on the first rung, whose signal has been sent. */
function drained(climb: Climb, beganNs: bigint): Climb {
  const order = { ...climb.order, index: 0, deadlineNs: null, firstOnly: true as const };
  return { ...climb, order, beganNs, dueNs: null };
}

function step(
  driver: Driver,
  event: string,
  argument: number,
  now: bigint,
): Climbed & { supervisor?: boolean; done?: boolean } {
  const { climb, supervisor } = driver;
  const idle: Climbed = { climb, action: { act: 'none' } };
  const begun = climb.order.index !== null;
  if (driver.done) return idle;
  switch (event) {
    case 'stop':
      return begun && !climb.order.firstOnly ? idle : beginClimb(climb, argument, now, supervisor);
    case 'drain':
      return { ...idle, climb: drained(climb, now) };
    case 'leader-exited':
      return begun || supervisor ? idle : beginClimb(climb, 15, now, supervisor);
    case 'tick':
      return tickClimb(climb, now, supervisor);
    case 'escalate':
      return nextClimb(climb, now, supervisor);
    case 'kill':
      return killClimb(climb);
    case 'supervisor':
      return { ...idle, supervisor: argument === 1 };
    case 'empty':
      return { ...idle, done: true };
    default:
      throw new Error(`cannot run "${event}": no such event`);
  }
}

function answer(action: Action | 'done', climb: Climb): string {
  const { index, deadlineNs, rungs } = climb.order;
  const killing = index === rungs.length;
  const sent = action !== 'done' && 'signal' in action ? `${action.signal} ${action.target}` : '- -';
  const deadline = index === null || deadlineNs === null || killing ? '-' : deadlineNs / MS;
  return `${action === 'done' ? 'done' : action.act} ${sent} ${index ?? '-'} ${deadline} ${climb.cutNs / MS}`;
}
