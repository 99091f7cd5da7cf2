/** Questions to a run, and what comes back: commands are runs of their own, everything else is asked through a port. */
import { evolve } from './evolve.ts';
import { hookName } from './names.ts';
import type { AskRole, ProbeRole } from './plan.ts';
import { answered, askedKey, askedOf, healthNews, isReadyNow, questionsOf } from './probes.ts';
import type { Run } from './state.ts';
import { lookUp } from './table.ts';
import { decideOn, note, say, type Turn } from './turn.ts';

const MS = 1_000_000n;

export function ask(turn: Turn, run: Run): void {
  const question = questionsOf(turn.state, run).find(({ atNs }) => atNs <= turn.nowNs);
  if (question === undefined) return;
  if (question.probe.kind === 'exec' && question.role !== 'memory') {
    spawnProbe(turn, run, question.role, question.timeoutMs);
    return;
  }
  noteAsked(turn, run, question.role);
  const { role, probe, timeoutMs } = question;
  if (probe.kind !== 'exec') turn.effects.push({ kind: 'probe', run: run.name, role, probe, timeoutMs });
}

function spawnProbe(turn: Turn, run: Run, role: ProbeRole, timeoutMs: number): void {
  decideOn(turn, {
    type: 'hook',
    process: run.process,
    run: run.name,
    hook: hookName(run.name, role, run.probes + 1),
    state: 'started',
    code: null,
    signal: null,
    deadline_ns: turn.nowNs + BigInt(timeoutMs) * MS,
  });
}

function noteAsked(turn: Turn, run: Run, role: AskRole): void {
  const before = askedOf(turn.state, run, role) ?? { failures: 0, verdict: null, reason: null };
  const asked = { ...before, answeredNs: null };
  turn.state = evolve(turn.state, { type: 'host', about: 'asked', key: askedKey(run.name, role), asked });
}

/** Late answers, of a run that is being stopped or is over, change nothing. */
export function takeAnswer(
  turn: Turn,
  name: string,
  role: AskRole,
  ok: boolean,
  reason: string | null,
): void {
  const run = lookUp(turn.state.runs, name);
  if (run === undefined || run.phase !== 'forked') return;
  const asked = answered(turn.state, run, role, { ok, reason, nowNs: turn.nowNs });
  turn.state = evolve(turn.state, { type: 'host', about: 'answered', key: askedKey(name, role), asked });
}

export function becomeReady(turn: Turn, run: Run): void {
  note(turn, { type: 'run-ready', process: run.process, run: run.name });
  turn.state = evolve(turn.state, { type: 'host', about: 'ready', run: run.name, nowNs: turn.nowNs });
}

export function changeHealth(turn: Turn, run: Run): void {
  const news = healthNews(turn.state, run, turn.nowNs);
  if (news === null) return;
  note(turn, { type: 'health-changed', process: run.process, run: run.name, ...news });
  say(turn, { kind: 'health', run: run.name, ...news });
}

/** What an answer comes to is in the log before the end of the command that gave it: a crash between them asks nobody again. */
export function settleAnswer(turn: Turn, name: string): void {
  const run = lookUp(turn.state.runs, name);
  if (run === undefined || run.phase !== 'forked') return;
  if (!run.ready && isReadyNow(turn.state, run)) becomeReady(turn, run);
  changeHealth(turn, run);
}
