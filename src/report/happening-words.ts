import { formatSize } from '../config/size.ts';
import { signalName } from '../signals/names.ts';
import type { Happening, StopReport } from '../supervisor/happening.ts';
import { differenceText } from './difference-words.ts';
import { durationText } from './duration.ts';
import { errnoText } from './errno.ts';
import type { Level } from './levels.ts';
import { wordRefusal } from './refusal-words.ts';
import { stopWords } from './stop-words.ts';

export interface Worded {
  readonly level: Level;
  readonly sentence: string;
}

/** The core's happenings as sentences; the same value is the map of the JSON line, so that both cannot disagree. */
export function wordHappening(happening: Happening): Worded {
  switch (happening.kind) {
    case 'run-ended':
      // What was stopped is in the summary of the stop.
      return say(
        endLevels[happening.cause === 'stopped' ? 'stopped' : happening.outcome],
        endSentence(happening),
      );
    case 'start-failed':
      return say('error', startSentence(happening));
    case 'stop-begun':
      return say('info', `stop: ${stopCause(happening)}`);
    case 'stragglers':
      return say('info', `${happening.run}: the command has exited, waiting for ${pidsText(happening.pids)}`);
    case 'stop-waits':
      return say('info', `waiting for ${listText(happening.runs)}, ${waitText(happening)}`);
    case 'grace-nearly-over':
      return say(
        'warn',
        `${happening.run}: still running, ${happening.next === 'SIGKILL' ? 'SIGKILL' : 'next rung'} in ${durationText(happening.leftMs)}`,
      );
    case 'escalated':
      return say('warn', `${happening.run}: asked again, ${escalationWords[happening.next]}`);
    case 'killed':
      return say(
        'warn',
        `${happening.run}: SIGKILL for what ignored termination: ${pidsText(happening.pids)}`,
      );
    case 'cut':
      return say(
        'warn',
        `${happening.run}: the stop budget cuts the wait of rung ${happening.index + 1} by ${durationText(happening.cutMs)}`,
      );
    case 'climbed-alone':
      return say(
        'warn',
        `${happening.run}: rung ${happening.index + 1} was taken while no supervisor was there to decide`,
      );
    case 'hook-failed':
      return say(
        'warn',
        `${happening.run}: hook ${hookName(happening.hook)} failed${codeText(happening.code)}${happening.detail === undefined ? '' : ` (${happening.detail})`}, going on`,
      );
    case 'pre-start-failed':
      return say('error', `${happening.run}: not started, ${preStartText(happening)}`);
    case 'config-changed':
      return say(
        'info',
        `${happening.cause === 'scale' ? 'scaled' : 'reloaded'}: ${differenceText(happening.difference)}`,
      );
    case 'config-unchanged':
      return say('info', 'reloaded: the config is as it was');
    case 'not-reloaded':
      return say('error', wordRefusal('reload the config', happening.refusal).message);
    case 'oversized':
      return say(
        'warn',
        `${happening.run}: above its memory limit of ${formatSize(happening.limitBytes)}${reasonText(happening.reason)}, another run takes its place`,
      );
    case 'busy':
      return say('info', `${happening.run}: busy, its stop waits until it is not`);
    case 'not-drained':
      return say(
        'warn',
        `${happening.run}: not stopped before hook ${hookName(happening.hook)} succeeds, trying it every ${durationText(happening.retryMs)}`,
      );
    case 'restart':
      return say(
        'info',
        `${happening.process}: runs again in ${durationText(happening.waitMs)}${happening.failures > 0 ? ` (failures: ${happening.failures})` : ''}`,
      );
    case 'gave-up':
      return say(
        'error',
        `${happening.process}: failed for good after ${timesText(happening.failures, 'failure')}`,
      );
    case 'not-ready':
      return say(
        'warn',
        `${happening.run}: not ready after ${durationText(happening.timeoutMs ?? 0)}${reasonText(happening.reason)}, it is stopped`,
      );
    case 'health':
      return say(
        happening.health === 'unhealthy' ? 'warn' : 'info',
        `${happening.run}: ${happening.health}${happening.health === 'unhealthy' ? reasonText(happening.reason) : ''}`,
      );
    case 'blocked':
      return say(
        'warn',
        `${happening.process}: not started, because ${happening.on} ${blockedWords[happening.condition]}`,
      );
    case 'finalizing':
      return say(
        'info',
        `all others have ended, running ${happening.processes.join(', ')}${happening.waitMs === null ? '' : ` within ${durationText(happening.waitMs)}`}`,
      );
    case 'stuck':
      return say('error', `${happening.run}: cannot be killed: ${pidsText(happening.pids)}`);
    case 'lost':
      return say('error', `${happening.run}: lost, nobody knows how it ended`);
    case 'stop-summary':
      return say(
        happening.processes.some(({ forced, stuck }) => forced || stuck) ? 'warn' : 'info',
        summary(happening),
      );
  }
}

function say(level: Level, sentence: string): Worded {
  return { level, sentence };
}

type Of<K extends Happening['kind']> = Extract<Happening, { kind: K }>;

const endLevels = {
  stopped: 'debug',
  success: 'info',
  failed: 'warn',
  killed: 'warn',
  lost: 'error',
} as const;

function endSentence({ run, outcome, cause, code, signal }: Of<'run-ended'>): string {
  const end = signal === null ? `exit code ${code}` : `died of ${signal}`;
  if (cause === 'stopped') return `${run}: stopped (${end})`;
  if (cause === 'oom') return `${run}: killed for lack of memory (${end})`;
  return outcome === 'success' ? `${run}: done` : `${run}: ${outcome} (${end})`;
}

const stageWords: Record<Of<'start-failed'>['stage'], string> = {
  fork: 'no new process',
  terminal: 'terminal',
  output: 'output',
  limits: '--ulimit',
  nice: '--nice',
  oom: '--oom-score-adj',
  cwd: 'working directory',
  user: '--user',
  privs: '--no-new-privs',
  stdin: 'standard input',
  exec: 'command',
  timeout: 'it took longer than --start-timeout',
};

function startSentence(happening: Of<'start-failed'>): string {
  const { run, command, cwd, stage, errno } = happening;
  if (stage === 'user') return `${run}: cannot start "${command}": ${userSentence(happening)}`;
  const what = stage === 'exec' ? '' : `: ${stageWords[stage]}${stage === 'cwd' ? ` "${cwd}"` : ''}`;
  const why = errno === 0 ? '' : `: ${errnoText(errno)}${wantHint(errno)}`;
  return `${run}: cannot start "${command}"${what}${why}`;
}

/** As main.c has it: who has none of it left cannot tell which limit it was. */
function wantHint(errno: number): string {
  return [EAGAIN, ENOMEM].includes(errno) ? '; the limit of processes, or of memory, may be too low' : '';
}

const EAGAIN = 11;
const ENOMEM = 12;

const ENOENT = 2;

/** Which of the two is unknown is not told. */
function userSentence({ user, group, errno }: Of<'start-failed'>): string {
  const named = [user === undefined ? [] : `user "${user}"`, group === undefined ? [] : `group "${group}"`];
  const who = named.flat().join(' and ') || stageWords.user;
  if (errno !== ENOENT) return `${who}: ${errnoText(errno)}`;
  if (group === undefined) return `${who}: there is no such user in /etc/passwd`;
  if (user === undefined) return `${who}: there is no such group in /etc/group`;
  return `${who}: one of them is not in /etc/passwd or /etc/group`;
}

const escalationWords: Record<Of<'escalated'>['next'], string> = {
  rung: 'next rung of the stop now',
  SIGKILL: 'SIGKILL now',
  hook: 'its hook is tried again now',
};

function reasonText(reason: string | null): string {
  return reason === null ? '' : ` (${reason})`;
}

const blockedWords: Record<Of<'blocked'>['condition'], string> = {
  started: 'was not started',
  ready: 'is not ready, and does not run',
  healthy: 'is not healthy, and does not run',
  completed_successfully: 'has not completed successfully',
};

function stopCause({ cause, signal, pid }: Of<'stop-begun'>): string {
  const name = signal === null ? null : (signalName(signal) ?? String(signal));
  const from = pid === null ? '' : pid === 0 ? ' from outside' : ` from pid ${pid}`;
  if (cause === 'signal') return `${name ?? 'signal'}${from}`;
  return stopWords[cause];
}

/** So many are told by name of those of which there is nothing to learn, and so many kinds of the others. */
const GRACEFUL_SHOWN = 8;
const FORCED_SHOWN = 4;

/** What took how long, and for what was not graceful, which comes first, the setting that would have made it so. */
function summary({ exitCode, processes }: Of<'stop-summary'>): string {
  const isForced = ({ forced, stuck, cutMs }: StopReport): boolean => forced || stuck || cutMs > 0;
  const forced = alike(processes.filter(isForced));
  const others = processes.filter((report) => !isForced(report));
  const more = forced.slice(FORCED_SHOWN).reduce((sum, { heads }) => sum + heads.length, 0);
  const texts = [
    ...forced.slice(0, FORCED_SHOWN).map(reportsText),
    ...(more > 0 ? [`${more} more that needed SIGKILL or were cut, see gsup history`] : []),
    ...(others.length > GRACEFUL_SHOWN ? [gracefulText(others)] : alike(others).map(reportsText)),
  ];
  return `stopped, exit code ${exitCode}: ${texts.join('; ') || 'nothing was running'}`;
}

interface Alike {
  readonly heads: string[];
  readonly remarks: string;
}

/** Of many that have ended in the same way it is said once how. */
function alike(reports: readonly StopReport[]): Alike[] {
  const groups = new Map<string, Alike>();
  for (const report of reports) {
    const remarks = remarksOn(report);
    const group = groups.get(remarks) ?? { heads: [], remarks };
    const { run, tookMs } = report;
    group.heads.push(tookMs === null ? run : `${run} took ${durationText(tookMs)}`);
    groups.set(remarks, group);
  }
  return [...groups.values()];
}

function reportsText({ heads, remarks }: Alike): string {
  return listText(heads) + (remarks === '' ? '' : ` (${remarks})`);
}

function gracefulText(reports: readonly StopReport[]): string {
  const timed = reports.filter(({ tookMs }) => tookMs !== null);
  const slowest = timed.toSorted((one, other) => (other.tookMs ?? 0) - (one.tookMs ?? 0))[0];
  const longest =
    slowest?.tookMs == null ? '' : `, ${slowest.run} the longest with ${durationText(slowest.tookMs)}`;
  return `${reports.length} ended by themselves or in time${longest}`;
}

function remarksOn(report: StopReport): string {
  const end =
    report.signal !== null ? `ended by ${report.signal}` : report.code === null ? '' : `code ${report.code}`;
  const cut = report.cutMs > 0 ? `its wait was cut by ${durationText(report.cutMs)}` : '';
  return [end, whyKilled(report), report.forced ? '' : cut].filter((text) => text !== '').join(', ');
}

function whyKilled({ stuck, reason, cutMs, waits, rungs }: StopReport): string {
  if (stuck) return 'something in it could not be killed';
  switch (reason) {
    case null:
      return '';
    case 'asked-again':
      return 'needed SIGKILL because a stop was asked for again before its wait was over: to ask once leaves it its time';
    case 'budget':
      return `needed SIGKILL because the stop budget ${cutMs > 0 ? `cut its wait by ${durationText(cutMs)}` : 'ended its wait'}: a longer --stop-budget avoids that`;
    case 'outlived':
      return `needed SIGKILL because something in it outlived the last rung: ${waits === 'grace' ? 'a longer --grace, or a --stop-signal that it heeds,' : `a longer wait in rung ${rungs} (--rung), or a signal there that it heeds,`} avoids that`;
  }
}

function preStartText({ code, signal, lateMs }: Of<'pre-start-failed'>): string {
  if (lateMs !== null) return `pre_start was not done after ${durationText(lateMs)}`;
  if (signal !== null) return `pre_start died of ${signal}`;
  return code === null ? 'nobody knows how pre_start ended' : `pre_start failed with code ${code}`;
}

/** `pre-stop` of `web#1/pre-stop.1`: whose it is stands before it. */
function hookName(hook: string): string {
  return hook.replace(/^.*\//, '').replace(/\.[0-9]+$/, '');
}

function codeText(code: number | null): string {
  return code === null ? '' : ` with code ${code}`;
}

const LISTED = 8;

function listText(names: readonly string[]): string {
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return names.slice(0, LISTED).join(', ') + more;
}

function waitText({ leftMs, next }: Of<'stop-waits'>): string {
  const what = next === 'SIGKILL' ? 'SIGKILL' : 'next rung';
  return `${leftMs === null ? 'without a limit' : `${what} in at most ${durationText(leftMs)}`}; asked again, ${what} at once`;
}

const PIDS_SHOWN = 8;

function pidsText(pids: readonly number[]): string {
  if (pids.length === 0) return 'what is left of its tree';
  const more = pids.length > PIDS_SHOWN ? ` and ${pids.length - PIDS_SHOWN} more` : '';
  return `pid ${pids.slice(0, PIDS_SHOWN).join(', ')}${more}`;
}

function timesText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
