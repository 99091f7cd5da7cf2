/** The turns of the model's init and coordinators, through the real code: a script for a driver, and what it has to say to it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createFrameReader } from '../../src/host/decode.ts';
import { encodeSpawn } from '../../src/host/encode.ts';
import type { HostNews } from '../../src/host/host.ts';
import { LAUNCH } from '../simulation/plans.ts';
import type { InitOutput, RunOutput } from './boundary.ts';
import { dueOf, isThere, stepCoordinator } from './coordinator.ts';
import { bytesFromCoordinator, bytesToCoordinator, bytesToInit, forwardBytes, hex } from './frames.ts';
import { type InitPlan, initDue } from './init.ts';
import type { InitTurn, RunTurn } from './traces.ts';

/** A turn that went otherwise, with the script up to it. */
export interface Difference {
  readonly script: readonly string[];
  readonly expected: readonly string[];
  readonly seen: readonly string[];
}
export interface Replayed {
  readonly traces: number;
  readonly turns: number;
  readonly differences: readonly Difference[];
}

/** Lines for the driver, and what it should answer; null: it does not answer yet. */
interface Line {
  readonly script: readonly string[];
  readonly answer: readonly string[] | null;
}

/** Tests and scripts both run in the project's folder. */
const root = process.cwd();

export function replayInit(traces: readonly (readonly InitTurn[])[], plan: InitPlan): Replayed {
  return replay(
    'model-init',
    traces.map((trace) => trace.map((turn) => initLine(turn, plan))),
  );
}

export function replayRuns(traces: readonly (readonly RunTurn[])[]): Replayed {
  return replay(
    'model-coordinator',
    traces.map((trace) => trace.map(runLine)),
  );
}

/** So many at a time, as a script is one string. */
const BATCH = 2000;

function replay(program: string, traces: readonly (readonly Line[])[]): Replayed {
  const differences: Difference[] = [];
  let turns = 0;
  for (let from = 0; from < traces.length; from += BATCH) {
    const replayed = replayBatch(program, traces.slice(from, from + BATCH));
    turns += replayed.turns;
    differences.push(...replayed.differences);
  }
  return { traces: traces.length, turns, differences };
}

/** `program` below build/: made by `sh src/init/build.sh test`. */
function replayBatch(program: string, traces: readonly (readonly Line[])[]): Replayed {
  const input = traces.flatMap((trace) => [
    ...trace.flatMap(({ script }) => script),
    ...leaveOf(program, trace),
  ]);
  const options = { input: `${input.join('\n')}\n`, encoding: 'utf8', maxBuffer: 2 ** 30 } as const;
  const { stdout, stderr, status } = spawnSync(join(root, 'build', program), [], options);
  const answers = stdout.split('.\n').map((answer) => answer.split('\n').filter((line) => line !== ''));
  const differences: Difference[] = [];
  let at = 0;
  let turns = 0;
  for (const trace of traces) {
    const script: string[] = [];
    for (const line of trace) {
      script.push(...line.script);
      if (line.answer === null) continue;
      turns++;
      const seen = (answers[at++] ?? [stderr]).map(readable);
      if (differences.length < 20 && seen.join('\n') !== line.answer.join('\n'))
        differences.push({ script: [...script], expected: line.answer, seen });
    }
  }
  if (status !== 0) differences.push({ script: [], expected: ['an end'], seen: [stderr] });
  return { traces: traces.length, turns, differences };
}

/** A coordinator whose trace ends before its run does has to be left. */
function leaveOf(program: string, trace: readonly Line[]): string[] {
  const over = trace.some(({ answer }) => answer?.includes('over'));
  return program === 'model-coordinator' && !over ? ['leave'] : [];
}

function initLine({ nowNs, event, out, after }: InitTurn, plan: InitPlan): Line {
  const answer = out.flatMap((each) =>
    initAnswer(
      each,
      after.slots.map((slot) => slot.name),
    ),
  );
  const due = after.exited === null ? [dueText(initDue(after, nowNs))] : [];
  return { script: initScript(nowNs, event, plan), answer: [...answer, ...due] };
}

function initScript(nowNs: bigint, event: InitTurn['event'], plan: InitPlan): string[] {
  switch (event.kind) {
    case 'open':
      return [`begin ${nowNs} ${plan.lasting ? 1 : 0} ${plan.stayMs ?? 0}`];
    case 'supervisor-wrote': {
      const whole = event.frames.map((frame) => hex(bytesToInit(frame))).join('');
      const piece = event.half ? hex(bytesToInit({ kind: 'seen', event: 1, wakeNs: null })).slice(0, 44) : '';
      return [`frame ${whole}${piece}`, `supervisor-wrote ${nowNs}`];
    }
    case 'supervisor-ended':
      return [
        event.code === null ? `supervisor-killed ${nowNs}` : `supervisor-exited ${nowNs} ${event.code}`,
      ];
    case 'run-wrote':
    case 'run-ended': {
      const frames = event.frames.map((frame) => `frame ${hex(bytesFromCoordinator(frame))}`);
      return [...frames, `${event.kind} ${nowNs} ${event.slot}`];
    }
    case 'received':
      return [`received ${nowNs} ${event.signal} ${event.times}`];
    case 'socket':
      return [`socket ${nowNs} ${event.slot} ${event.full ? 1 : 0}`];
    case 'run-closed':
      return [`run-closed ${nowNs} ${event.slot}`];
    default:
      return [`${event.kind} ${nowNs}`];
  }
}

function initAnswer(out: InitOutput, names: readonly string[]): string[] {
  switch (out.kind) {
    case 'news':
      return [newsText(out.news)];
    case 'pass':
      return [`to-run ${out.slot} ${hex(bytesToCoordinator(out.frame))}`];
    case 'forward':
      return [`to-run ${out.slot} ${hex(forwardBytes(out.signal, out.times))}`];
    case 'fork-run':
      return [`fork-run ${out.slot} ${names[out.slot]}`];
    case 'record':
      return [`record ${out.type}`];
    case 'exit':
      return [`exit ${out.code}`];
    case 'hang-up':
      return [];
    case 'fork-supervisor':
      return [`fork-supervisor ${out.installation}`.trim()];
    default:
      return [out.kind];
  }
}

function runLine(turn: RunTurn): Line {
  switch (turn.kind) {
    case 'begin': {
      const { born, nowNs } = turn;
      const frame = encodeSpawn(1, born.name, LAUNCH, born.climb.order) as Uint8Array;
      const flags = `${born.hooks ? 1 : 0} ${isThere(born.other) ? 1 : 0}`;
      // Its first word needs nothing but itself.
      const { c, out } = stepCoordinator(born, nowNs);
      const answer = [...out.map(runAnswer), dueText(dueOf(c))];
      return { script: [`begin ${nowNs} ${flags} ${hex(frame)} ${born.name}`], answer };
    }
    case 'frame':
      return { script: [`frame ${hex(bytesToCoordinator(turn.frame))}`], answer: null };
    case 'happens':
      return { script: [...happening(turn.step), ...(turn.sigchld ? ['sigchld'] : [])], answer: null };
    case 'turn': {
      if (turn.fresh) return { script: [], answer: null };
      const answer = turn.out.map(runAnswer);
      const due = turn.after.over ? [] : [dueText(dueOf(turn.after))];
      return { script: [`turn ${turn.nowNs}`], answer: [...answer, ...due] };
    }
  }
}

function happening(step: Extract<RunTurn, { kind: 'happens' }>['step']): string[] {
  switch (step.kind) {
    case 'execs':
    case 'start-fails':
      return [step.kind];
    case 'leader-exits':
      return [`leader-ends ${step.code}`];
    case 'leader-dies':
      return ['leader-ends -9'];
    default:
      return ['other-ends'];
  }
}

function runAnswer(out: RunOutput): string {
  switch (out.kind) {
    case 'run':
      return newsText({ kind: 'run', run: out.run });
    case 'record':
      return `record ${out.type}`;
    case 'sent':
      return `sent ${out.to} ${out.signal}`;
    case 'over':
      return 'over';
  }
}

function dueText(dueNs: bigint | null): string {
  return `due ${dueNs ?? '-'}`;
}

/** What differs between a fact of the model and one of the machine is not compared. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set([
  'startTicks',
  'leaderUsage',
  'treeUsage',
  'initPid',
  'initTicks',
  'pidNs',
  'bootId',
]);

function newsText(news: HostNews): string {
  const value =
    news.kind === 'run'
      ? news.run
      : news.kind === 'hello'
        ? news.hello
        : news.kind === 'asks'
          ? news.asks
          : news;
  const members = Object.entries(value).filter(([key]) => !OF_THE_MACHINE.has(key));
  return `${news.kind} ${members
    .map(
      ([key, member]) =>
        `${key}=${typeof member === 'object' && member !== null ? JSON.stringify(member) : member}`,
    )
    .sort()
    .join(' ')}`;
}

function readable(line: string): string {
  const [what, bytes] = line.split(' ');
  if ((what !== 'to-supervisor' && what !== 'run') || bytes === undefined) return line;
  const { news, bad } = createFrameReader()(Buffer.from(bytes, 'hex'));
  return bad ?? news.map(newsText).join('\n');
}
