import { expect, test } from 'vitest';
import type { CheckpointRecord } from '../../src/checkpoint/record.ts';
import { hasCome, isHopeless } from '../../src/cli/wait.ts';
import type { Readiness } from '../../src/control/client.ts';
import type { ProcessStatus } from '../../src/report/status.ts';
import { buildStatus } from '../../src/report/status.ts';

const readiness = { ready: false, waitingFor: [] } as unknown as Readiness;
const ended = { type: 'run-ended', run: 'web#1', code: null, signal: 'SIGTERM', forced: false };
const judged = { ...ended, type: 'outcome', process: 'web', outcome: 'failed', cause: 'signal', failures: 1 };
const records = {
  'has ended': [ended],
  'is judged': [ended, judged],
  'runs again soon': [
    ended,
    judged,
    { type: 'backoff', process: 'web', run: 'web#1', wait_ms: 500, failures: 1 },
  ],
};

function web(what: keyof typeof records): ProcessStatus {
  const lines = records[what].map((body, at) => ({
    v: 1,
    seq: at + 1,
    at: new Date(0).toISOString(),
    mono_ns: 5n,
    ...body,
  }));
  const look = {
    nowNs: 10n,
    live: true,
    treeOf: () => null,
    declared: [{ name: 'web', want: 'up' as const }],
  };
  return buildStatus(lines as unknown as CheckpointRecord[], look).processes[0] as ProcessStatus;
}

const NEVER: readonly [keyof typeof records, Readiness | null, boolean][] = [
  ['has ended', readiness, false],
  ['is judged', readiness, true],
  ['runs again soon', readiness, false],
  // Nobody is there to judge.
  ['has ended', null, true],
];
for (const [what, supervisor, isIt] of NEVER)
  test(`a run that ${what}, ${supervisor ? 'with' : 'without'} a supervisor: ${isIt ? 'nothing' : 'another may'} follow${isIt ? 's' : ''}`, () => {
    expect(isHopeless(web(what), supervisor)).toBe(isIt);
    const stopped = { goal: 'stopped', words: ['web'], before: null, timeoutMs: null } as const;
    expect(hasCome(web(what), supervisor, stopped)).toBe(isIt);
  });
