/** Names of runs: `web#3`, and `web#3/pre-stop.1` for a hook or a probe that serves it. */
import type { HookKind } from './state.ts';

export function runName(process: string, number: number): string {
  return `${process}#${number}`;
}

/** 0 for what is no name of a run. */
export function runNumber(run: string): number {
  return Number(/#(\d+)$/.exec(run)?.[1] ?? 0);
}

export function processName(run: string): string {
  return run.slice(0, run.lastIndexOf('#'));
}

export function hookName(run: string, kind: HookKind, attempt: number): string {
  return `${run}/${kind}.${attempt}`;
}

export function hookKind(hook: string): HookKind {
  const kind = /\/(pre-start|busy|pre-stop|http-post|post-stop|ready|health)\.\d+$/.exec(hook)?.[1];
  return (kind ?? 'pre-stop') as HookKind;
}

/** A hook or a probe. */
export function isHookName(run: string): boolean {
  return run.includes('/');
}

/** `web#3` of `web#3/health.12`. */
export function servedRun(hook: string): string {
  return hook.slice(0, hook.lastIndexOf('/'));
}

/** 12 of `web#3/health.12`. */
export function hookNumber(hook: string): number {
  return Number(/\.(\d+)$/.exec(hook)?.[1] ?? 0);
}

export function isProbe(kind: HookKind): kind is 'ready' | 'health' {
  return kind === 'ready' || kind === 'health';
}
