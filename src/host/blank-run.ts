import type { RunSnapshot } from '../supervisor/vocabulary.ts';

/** A run of which nothing has happened yet. */
export function blankRun(key: number, name: string): RunSnapshot {
  const usage = { userUs: 0, sysUs: 0, maxRssKb: 0 };
  return {
    key,
    name,
    phase: 'starting',
    leaderExited: false,
    forced: false,
    stuck: false,
    lost: false,
    alone: false,
    oom: false,
    askedAgain: false,
    pid: 0,
    startTicks: 0n,
    startFailure: null,
    code: null,
    signal: null,
    rung: null,
    deadlineNs: null,
    forkedNs: 0n,
    startedNs: 0n,
    leaderExitedNs: 0n,
    endedNs: 0n,
    stopNs: 0n,
    leaderUsage: usage,
    treeUsage: usage,
    stragglers: 0,
    stragglerPids: [],
    ready: false,
    notifyCount: 0,
    extendUs: 0,
    mainPid: 0,
    extendNs: 0n,
    watchdogNs: 0n,
    statusText: '',
  };
}
