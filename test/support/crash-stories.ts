import { join } from 'node:path';
import { fixture } from './fixtures.ts';
import type { Gsup } from './gsup.ts';
import { pause } from './until.ts';

/** A whole life of a task that has a supervisor, from its start to its end. */
export interface Story {
  readonly title: string;
  /** Of `run`: its options, and the command. */
  readonly options?: (folder: string) => readonly string[];
  readonly command?: (folder: string) => readonly string[];
  /** Of `up`, in place of these. */
  readonly config?: (folder: string) => unknown;
  /** What must come before what, each as the type of its first record and the run: `run-ready db#1 < run-forked web#1`. */
  readonly order?: readonly string[];
  /** What users do, each act after a fact, so that a crash changes nothing of it. */
  readonly play: (gsup: Gsup) => Promise<void>;
  readonly stdin?: 'pipe';
  /** How long it takes; crashes at random moments are spread over this. */
  readonly lastsMs: number;
}

/** A file in which hooks and runs write; it is a part of the outcome. */
export const NOTES = 'notes';

async function stop(gsup: Gsup): Promise<void> {
  await gsup.ready();
  gsup.signal('SIGTERM');
}

const reports = (...more: string[]) => [fixture('reports-signals'), '--code', '3', ...more];
/*
 * Deadlines are absolute, so waits here are longer than a supervisor that was killed takes to be replaced, twice, on a busy
 * machine; with shorter ones the next rung would be due, rightly, before a child had time for the one before.
 */
/** Longer than that in which a second signal is the same request as the first. */
const ANOTHER_REQUEST_MS = 300;

export const runStories: readonly Story[] = [
  {
    title: 'a ladder of two rungs',
    options: () => ['--stay', '--rung', 'USR1:1500ms', '--rung', 'TERM:20s'],
    command: () => reports(),
    play: stop,
    lastsMs: 1800,
  },
  {
    title: 'a hold, then the signal',
    options: () => ['--stay', '--hold', '400ms', '-g', '20s'],
    command: () => reports(),
    play: stop,
    lastsMs: 700,
  },
  {
    title: 'a pre-stop hook',
    options: (folder) => ['--pre-stop', `echo pre >> ${join(folder, NOTES)}; sleep 0.3`, '-g', '20s'],
    command: () => reports(),
    play: stop,
    lastsMs: 700,
  },
  {
    title: 'a post-stop hook',
    options: (folder) => {
      const said = '$GSUP_RUN $GSUP_OUTCOME $GSUP_EXIT_CODE';
      return ['--post-stop', `echo "post ${said}" >> ${join(folder, NOTES)}; sleep 0.2`];
    },
    command: () => reports(),
    play: stop,
    lastsMs: 600,
  },
  {
    title: 'restarts after failures',
    options: () => ['--restart', 'on-failure', '--max-failures', '5', '--min-duration', '200ms'],
    command: (folder) => [fixture('fails-until'), join(folder, NOTES), '3', '--code', '9'],
    play: async () => {},
    lastsMs: 1900,
  },
  {
    title: 'a grace that is used up',
    options: () => ['--stay', '-g', '1s'],
    command: () => [fixture('ignores-sigterm')],
    play: stop,
    lastsMs: 1300,
  },
  {
    title: 'a second and a third signal',
    options: () => ['--stay', '--rung', 'USR1:60s', '--rung', 'USR2:60s'],
    command: () => reports('--exit-on', 'none'),
    play: async (gsup) => {
      await stop(gsup);
      await gsup.stdout.line(/^got SIGUSR1/);
      await pause(ANOTHER_REQUEST_MS);
      gsup.signal('SIGTERM');
      await gsup.stdout.line(/^got SIGUSR2/);
      await pause(ANOTHER_REQUEST_MS);
      gsup.signal('SIGTERM');
    },
    lastsMs: 1000,
  },
  {
    title: 'an end that nobody asked for',
    options: () => ['--stay'],
    command: () => ['sh', '-c', 'echo ready; read line; exit 7'],
    play: async (gsup) => {
      await gsup.ready();
      gsup.stdin?.write('end\n');
    },
    stdin: 'pipe',
    lastsMs: 300,
  },
  {
    title: 'a stop budget that cuts',
    options: () => ['--stay', '--stop-budget', '4s', '--rung', 'USR1:9s', '--rung', 'USR2:9s'],
    command: () => reports('--exit-on', 'none'),
    play: stop,
    lastsMs: 4200,
  },
  {
    title: 'a leader that leaves a child behind',
    options: () => ['--stay', '-g', '500ms'],
    command: () => [
      fixture('leaves-background-child'),
      '--at-once',
      '--code',
      '3',
      '--',
      fixture('ignores-sigterm'),
    ],
    play: async () => {},
    lastsMs: 900,
  },
  {
    title: 'a rung that executes, and one that hangs',
    options: (folder) => {
      const note = `exec:echo drained >> ${join(folder, NOTES)}:20s`;
      return ['--rung', note, '--rung', 'exec:sleep 60:3s', '--rung', 'TERM:20s'];
    },
    command: () => reports(),
    play: stop,
    lastsMs: 3500,
  },
];
