import type { SpawnOptions } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import type { Launch, StartStage } from '../supervisor/vocabulary.ts';

/** What is lost without the C part. Said once, on stderr. */
export const PORTABLE_LOSSES = [
  'orphans are not reaped',
  'a crash of gsup orphans the command, and there is no upgrade while it runs',
  'what leaves both session and parents is not found',
  'no job control, no real-time signals, no sender of a signal, no resource usage, no NOTIFY_SOCKET, no start time-out',
  'no descriptors beyond 2, so no sockets of LISTEN_FDS',
] as const;

/** Options of a launch that child_process cannot do: sentences. Refused before anything starts, never ignored. */
export function portableRefusals(launch: Launch): readonly string[] {
  const refuse = (asked: boolean, what: string): string[] => (asked ? [`${what} needs the native part`] : []);
  return [
    ...refuse(launch.limits.length > 0, '--ulimit'),
    ...refuse(launch.oomScoreAdj !== undefined, '--oom-score-adj'),
    ...refuse(launch.noNewPrivs, '--no-new-privs'),
    ...refuse(![undefined, 'inherit', 'none'].includes(launch.output?.driver), 'capturing output'),
    ...refuse(launch.tty === true, 'a terminal of its own'),
    ...refuse(launch.readyFd !== undefined, 'a descriptor for readiness'),
    // Lowering it again for gsup itself would need a privilege, and doing it after the start comes too late for forks.
    ...refuse(launch.nice !== undefined, '--nice'),
    ...refuse(launch.user !== undefined && !isNumeric(launch.user), 'a --user that is no number'),
    ...refuse(launch.group !== undefined && !isNumeric(launch.group), 'a --group-id that is no number'),
  ];
}

export function portableSpawnOptions(launch: Launch): SpawnOptions {
  const [user, group = launch.group] = launch.user?.split(':') ?? [];
  const output = launch.output?.driver === 'none' ? 'ignore' : 'inherit';
  return {
    detached: true, // setsid: a session and a group of its own
    env: environmentOf(launch, process.env),
    stdio: [launch.stdinNull ? 'ignore' : 'inherit', output, output],
    ...(launch.cwd !== undefined && { cwd: launch.cwd }),
    ...(user !== undefined && { uid: Number(user) }),
    ...(group !== undefined && { gid: Number(group) }),
  };
}

export function environmentOf(launch: Launch, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env = { ...(launch.clearEnv ? {} : own), ...launch.envSet };
  for (const name of launch.envUnset) delete env[name];
  return env;
}

export interface StartFailure {
  readonly stage: StartStage;
  readonly errno: number;
}

/** Node says ENOENT for a missing command and for a missing working directory alike. */
export function startFailureOf(error: NodeJS.ErrnoException, launch: Launch): StartFailure {
  const errno = Math.abs(error.errno ?? 0);
  if (launch.cwd !== undefined) {
    const cwdErrno = whyNotDirectory(launch.cwd);
    if (cwdErrno !== null) return { stage: 'cwd', errno: cwdErrno };
  }
  const changesUser = launch.user !== undefined || launch.group !== undefined;
  return { stage: error.code === 'EPERM' && changesUser ? 'user' : 'exec', errno };
}

function whyNotDirectory(path: string): number | null {
  try {
    if (!statSync(path).isDirectory()) return ENOTDIR;
    accessSync(path, constants.X_OK);
    return null;
  } catch (error) {
    return Math.abs((error as NodeJS.ErrnoException).errno ?? 0);
  }
}

const ENOTDIR = 20;

function isNumeric(text: string): boolean {
  return /^[0-9]+(:[0-9]+)?$/.test(text);
}
