import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, socketOf } from './control.ts';
import { NOTES, type Story } from './crash-stories.ts';
import { fixture } from './fixtures.ts';
import type { Gsup } from './gsup.ts';
import { until } from './until.ts';

/*
 * The lives of tasks of `gsup up`. All their output is captured, so that the pump has its part; what a line is of is said by its
 * prefix. As in crash-stories.ts waits are longer than a supervisor that was killed, twice, takes to be replaced.
 */
/** For a machine on which a Node takes seconds to start. */
const PATIENCE_MS = 120_000;
const LOGGED = { logging: { driver: 'prefix' } };
const notes = (folder: string) => join(folder, NOTES);
const note = (folder: string, what: string) => `echo ${what} >> ${notes(folder)}`;
const reports = { command: [fixture('reports-signals'), '--code', '3'], stop: { grace: '20s' } };
/** Ready by descriptor 3, a moment after its start. */
/** Ready some moments before the program hears signals: who sends one waits for its "ready" too. */
const readySoon = {
  command: `sleep 0.2; echo >&3; exec 3>&-; exec ${fixture('reports-signals')}`,
  ready: { fd: 3 },
  stop: { grace: '20s' },
};
const completed = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { condition: 'completed_successfully' }]));

function says(gsup: Gsup, process: string): Promise<unknown> {
  return started(gsup, process, 1);
}

function started(gsup: Gsup, process: string, times: number): Promise<unknown> {
  const isReady = () => gsup.stdout.lines(new RegExp(`^${process} +\\| ready`)).length >= times;
  return until(`"ready" of ${process}`, isReady, PATIENCE_MS, () => gsup.stderr.text());
}

const outcome = (gsup: Gsup, run: string) => recorded(gsup, 'outcome', run);
const isReady = (gsup: Gsup, run: string) => recorded(gsup, 'run-ready', run);

function recorded(gsup: Gsup, type: string, run: string): Promise<unknown> {
  const isThere = () => gsup.records().find((line) => line.type === type && line.run === run);
  return until(`${type} of ${run}`, isThere, PATIENCE_MS, () => gsup.stderr.text());
}

function tell(gsup: Gsup, process: string, op: string, body: unknown = {}): Promise<void> {
  return post(gsup, `processes/${process}/${op}`, body);
}

/** As a client asks: again, where the supervisor ended under it. */
async function post(gsup: Gsup, path: string, body: unknown = {}): Promise<void> {
  let said: unknown;
  let asking = false;
  const again = async () => {
    asking = true;
    const answer = await ask(socketOf(gsup), 'POST', `/v1/${path}`, body).catch(() => null);
    if (answer !== null) said = answer.status === 200 || new Error(answer.text);
    asking = false;
  };
  const isSaid = () => {
    if (said === undefined && !asking) void again();
    return said;
  };
  const answer = await until(`an answer to ${path}`, isSaid, PATIENCE_MS, () => gsup.stderr.text());
  if (answer instanceof Error) throw answer;
}

const coded = (code: number) => ({ ...reports, command: [fixture('reports-signals'), '--code', `${code}`] });
const before = { ...LOGGED, processes: { stays: reports, changes: coded(4), goes: coded(5) } };
const after = { ...LOGGED, processes: { stays: reports, changes: coded(6), comes: coded(7) } };

function rewrite(gsup: Gsup, config: object): void {
  writeFileSync(join(gsup.folder, '../../gsup.json'), JSON.stringify(config));
}

export const upStories: readonly Story[] = [
  {
    title: 'up: reloaded by a signal, and back by a client',
    config: () => before,
    play: async (gsup) => {
      for (const name of ['stays', 'changes', 'goes']) await says(gsup, name);
      rewrite(gsup, after);
      gsup.signal('SIGHUP');
      await outcome(gsup, 'goes#1');
      await started(gsup, 'changes', 2);
      await says(gsup, 'comes');
      rewrite(gsup, before);
      await post(gsup, 'reload');
      await outcome(gsup, 'comes#1');
      await started(gsup, 'changes', 3);
      await started(gsup, 'goes', 2);
      gsup.signal('SIGTERM');
    },
    order: ['run-ended changes#1 < run-forked changes#2', 'run-ended changes#2 < run-forked changes#3'],
    lastsMs: 3000,
  },
  {
    title: 'up: scaled up and down by a client',
    config: () => ({ ...LOGGED, processes: { web: { ...readySoon, replicas: 1 }, db: reports } }),
    play: async (gsup) => {
      for (const name of ['web.1', 'db']) await says(gsup, name);
      await post(gsup, 'scale', { replicas: { web: 3 } });
      for (const name of ['web.2', 'web.3']) await isReady(gsup, `${name}#1`);
      for (const name of ['web.2', 'web.3']) await says(gsup, name);
      await post(gsup, 'scale', { replicas: { web: 2 } });
      await outcome(gsup, 'web.3#1');
      await tell(gsup, 'db', 'restart', { asked_ns: String(process.hrtime.bigint()) });
      await started(gsup, 'db', 2);
      gsup.signal('SIGTERM');
    },
    order: ['run-ended web.3#1 < rung web.1#1', 'run-ended db#1 < run-forked db#2'],
    lastsMs: 2500,
  },
  {
    title: 'up: starts by dependency and readiness, stops in reverse',
    config: (folder) => ({
      ...LOGGED,
      processes: {
        migrate: { command: note(folder, 'migrate') },
        db: { ...readySoon, depends_on: completed('migrate') },
        cache: { ...reports, ready: { log: '^ready' } },
        web: { ...reports, depends_on: ['db', 'cache'], ready: { exec: ['test', '-e', notes(folder)] } },
      },
    }),
    play: async (gsup) => {
      await isReady(gsup, 'web#1');
      await says(gsup, 'db');
      gsup.signal('SIGTERM');
    },
    order: [
      'run-ended migrate#1 < run-forked db#1',
      'run-ready db#1 < run-forked web#1',
      'run-ready cache#1 < run-forked web#1',
      'run-ended web#1 < rung db#1',
      'run-ended web#1 < rung cache#1',
    ],
    lastsMs: 1500,
  },
  {
    title: 'up: restarts with back-off, beside one that stays',
    config: (folder) => ({
      ...LOGGED,
      processes: {
        flaky: {
          command: [fixture('fails-until'), notes(folder), '4', '--code', '9'],
          restart: 'on-failure',
          min_duration: '10ms',
          backoff: { initial: '200ms', jitter: '0%' },
        },
        beside: { ...reports, ephemeral: true },
      },
    }),
    play: async (gsup) => void (await says(gsup, 'beside')),
    order: ['run-ended flaky#4 < rung beside#1'],
    lastsMs: 2200,
  },
  {
    title: 'up: hooks before the start, before the stop and after it',
    config: (folder) => ({
      ...LOGGED,
      processes: {
        web: {
          ...reports,
          pre_start: `sleep 0.3; ${note(folder, 'pre-start')}`,
          stop: {
            grace: '20s',
            pre_stop: `sleep 0.3; ${note(folder, 'pre-stop')}`,
            post_stop: `sleep 0.3; ${note(folder, '"post-stop $GSUP_RUN $GSUP_OUTCOME $GSUP_EXIT_CODE"')}`,
          },
        },
      },
    }),
    play: async (gsup) => {
      await says(gsup, 'web');
      gsup.signal('SIGTERM');
    },
    order: ['run-ended web#1/pre-start.1 < run-forked web#1', 'run-ended web#1/pre-stop.1 < run-ended web#1'],
    lastsMs: 1800,
  },
  {
    title: 'up: final processes after a stop, one behind the other',
    config: (folder) => ({
      ...LOGGED,
      processes: {
        web: reports,
        upload: { command: `sleep 0.3; ${note(folder, 'upload')}`, final: true },
        sign_off: {
          command: `${note(folder, 'sign-off')}; exit 5`,
          final: true,
          depends_on: completed('upload'),
        },
      },
    }),
    play: async (gsup) => {
      await says(gsup, 'web');
      gsup.signal('SIGTERM');
    },
    order: ['run-ended web#1 < run-forked upload#1', 'run-ended upload#1 < run-forked sign_off#1'],
    lastsMs: 1400,
  },
  {
    title: 'up: one fails for good, the others are stopped',
    config: (folder) => ({
      ...LOGGED,
      processes: {
        web: { ...reports, depends_on: ['db'], stop: { grace: '20s', post_stop: note(folder, 'post-stop') } },
        db: readySoon,
        job: {
          command: `until test -e ${join(folder, 'fail')}; do sleep 0.05; done; exit 7`,
        },
        clean: { command: note(folder, 'clean'), final: true },
      },
    }),
    play: async (gsup) => {
      await says(gsup, 'web');
      writeFileSync(join(gsup.folder, '../../fail'), '');
    },
    order: [
      'run-ended job#1 < rung web#1',
      'run-ended web#1 < rung db#1',
      'run-ended db#1 < run-forked clean#1',
    ],
    lastsMs: 1700,
  },
  {
    title: 'up: a stop budget cuts, over two levels',
    config: () => ({
      ...LOGGED,
      stop_budget: '8s',
      processes: {
        web: {
          command: [fixture('reports-signals'), '--exit-on', 'none'],
          depends_on: ['db'],
          stop: {
            ladder: [
              { signal: 'USR1', wait: '20s' },
              { signal: 'USR2', wait: '20s' },
            ],
          },
        },
        db: reports,
      },
    }),
    play: async (gsup) => {
      await says(gsup, 'web');
      gsup.signal('SIGTERM');
    },
    order: ['run-ended web#1 < rung db#1'],
    lastsMs: 6000,
  },
  {
    title: 'up: replicas are restarted one after the other',
    config: () => ({ ...LOGGED, processes: { web: { ...readySoon, replicas: 2 } } }),
    play: async (gsup) => {
      for (const name of ['web.1', 'web.2']) await isReady(gsup, `${name}#1`);
      await tell(gsup, 'web', 'restart', { asked_ns: String(process.hrtime.bigint()) });
      for (const name of ['web.1', 'web.2']) await isReady(gsup, `${name}#2`);
      for (const name of ['web.1', 'web.2']) await started(gsup, name, 2);
      gsup.signal('SIGTERM');
    },
    order: [
      'run-ended web.1#1 < run-forked web.1#2',
      'run-ready web.1#2 < rung web.2#1',
      'run-ended web.2#1 < run-forked web.2#2',
    ],
    lastsMs: 2200,
  },
  {
    title: 'up: one is stopped and started again, the other drained',
    config: () => ({
      ...LOGGED,
      processes: {
        web: reports,
        worker: {
          command: [fixture('reports-signals'), '--exit-on', 'SIGUSR1', '--code', '0'],
          stop: {
            ladder: [
              { signal: 'USR1', wait: '20s' },
              { signal: 'TERM', wait: '20s' },
            ],
          },
        },
      },
    }),
    play: async (gsup) => {
      for (const name of ['web', 'worker']) await says(gsup, name);
      await tell(gsup, 'web', 'stop');
      await outcome(gsup, 'web#1');
      await tell(gsup, 'worker', 'drain');
      await outcome(gsup, 'worker#1');
      await tell(gsup, 'web', 'start');
      await started(gsup, 'web', 2);
      gsup.signal('SIGTERM');
    },
    order: ['run-ended web#1 < run-forked web#2', 'run-ended worker#1 < run-forked web#2'],
    lastsMs: 2000,
  },
  {
    title: 'up: unhealthy, so it gets another run',
    config: (folder) => ({
      ...LOGGED,
      processes: {
        web: {
          ...reports,
          restart: 'always',
          min_duration: '10ms',
          backoff: { initial: '100ms' },
          healthcheck: {
            exec: ['sh', '-c', `test $GSUP_RUN != web#1 || test ! -e ${join(folder, 'sick')}`],
            interval: '200ms',
            retries: 2,
          },
        },
      },
    }),
    play: async (gsup) => {
      await says(gsup, 'web');
      writeFileSync(join(gsup.folder, '../../sick'), '');
      await started(gsup, 'web', 2);
      gsup.signal('SIGTERM');
    },
    lastsMs: 2500,
  },
  {
    title: 'up: the main process ends, and with it the task',
    config: (folder) => ({
      ...LOGGED,
      main: 'job',
      processes: {
        job: { command: `until test -e ${join(folder, 'end')}; do sleep 0.05; done; exit 4` },
        stubborn: { command: [fixture('ignores-sigterm')], stop: { grace: '1s' } },
      },
    }),
    play: async (gsup) => {
      await says(gsup, 'stubborn');
      writeFileSync(join(gsup.folder, '../../end'), '');
    },
    order: ['run-ended job#1 < kill stubborn#1'],
    lastsMs: 1900,
  },
];
