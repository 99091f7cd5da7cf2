/** How runs and their hooks are started. Pure. */
import { hookKind, isProbe } from './names.ts';
import { processOf } from './plan.ts';
import type { Result, Run, State } from './state.ts';
import { lookUp } from './table.ts';
import type { Command, Launch } from './vocabulary.ts';

export function argvOf(command: Command): readonly string[] {
  return 'exec' in command ? command.exec : ['/bin/sh', '-c', command.shell];
}

export function launchOf(state: State, run: Run): Launch {
  const { launch: plain, replica, watchdogMs, ready, onSignal } = processOf(state.plan, run.process);
  const launch = ready?.probe.kind === 'log' ? { ...plain, deepCopy: true } : plain;
  const watchdog = watchdogMs === null ? {} : { WATCHDOG_USEC: String(watchdogMs * 1000) };
  // The one command of `run` stands for gsup; of several each says what it wants to hear of.
  const own = state.plan.command === 'run' ? launch : { ...launch, onSignal };
  return withEnv(own, { GSUP_RUN: run.name, ...taskEnv(state, replica), ...watchdog });
}

/** A hook is started as the command is, but without its terminals, its standard input, its signals and its ways to say that it is ready. */
export function hookLaunch(state: State, hook: Run): Launch {
  const { readyFd: _, tty: __, ...launch } = processOf(state.plan, hook.process).launch;
  const base: Launch = {
    ...launch,
    argv: argvOf(hookCommand(state, hook)),
    terminal: false,
    stdinNull: true,
    notify: false,
    onSignal: [],
  };
  return withEnv(base, hookEnv(state, hook));
}

function taskEnv({ plan }: State, replica: number | null): Record<string, string> {
  return { GSUP_TASK: plan.name, ...(replica === null ? {} : { GSUP_REPLICA: String(replica) }) };
}

function hookCommand(state: State, hook: Run): Command {
  const plan = processOf(state.plan, hook.process);
  const probe = hook.serves?.kind === 'ready' ? plan.ready?.probe : plan.health?.probe;
  if (hook.serves !== null && isProbe(hook.serves.kind) && probe?.kind === 'exec') return probe.command;
  if (hook.serves?.kind === 'pre-start' && plan.preStart !== null) return plan.preStart.command;
  const rung = hook.serves?.index == null ? undefined : plan.ladder[hook.serves.index];
  const command = rung?.action === 'exec' || rung?.action === 'busy' ? rung.command : plan.postStop;
  if (command === null) throw new Error(`no command for the hook "${hook.name}"`);
  return command;
}

function hookEnv(state: State, hook: Run): Record<string, string> {
  const served = hook.serves?.run ?? '';
  const last = lookUp(state.processes, hook.process)?.last;
  const { replica } = processOf(state.plan, hook.process);
  const names = { GSUP_HOOK: hookKind(hook.name), GSUP_RUN: served, ...taskEnv(state, replica) };
  return last?.run === served ? { ...names, ...resultEnv(last) } : names;
}

/** Of code and signal there is one, and of a run that was lost none. */
function resultEnv(last: Result): Record<string, string> {
  return {
    GSUP_OUTCOME: last.outcome,
    ...(last.code === null ? {} : { GSUP_EXIT_CODE: String(last.code) }),
    ...(last.signal === null ? {} : { GSUP_EXIT_SIGNAL: last.signal }),
  };
}

function withEnv(launch: Launch, set: Record<string, string>): Launch {
  return { ...launch, envSet: { ...launch.envSet, ...set } };
}
