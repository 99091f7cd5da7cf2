/**
 * What was imported starts and stops as the original would: told by the programs themselves, for which stand-ins write
 * down what they see. Where the original is installed (supervisord, s6), it runs the same files beside it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Gsup } from '../support/gsup.ts';
import { collect } from '../support/output.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { CASES, type Case, caseFolder } from './cases.ts';
import {
  configOf,
  type Expected,
  faultsOf,
  importIn,
  programOf,
  servicesCopy,
  storyAt,
  supervisordCopy,
  withStandIns,
} from './stand-ins.ts';

const WHERE = { rings: ['subreaper'], modes: ['supervisor'] } as const;
const caseOf = (name: string) => CASES.find((one) => one.name === name) as Case;
const isThere = (program: string) => spawnSync(program, ['--help']).error === undefined;

async function begun(gsup: Gsup, path: string, expected: Expected): Promise<void> {
  const story = storyAt(path, expected);
  await until(
    'all to be started',
    story.hasBegun,
    60_000,
    () => `${story.lines().join('\n')}\n${gsup.stderr.text()}`,
  );
}

/** By the records: forked in this order. */
function expectBegins(gsup: Gsup, { begins = [] }: Expected): void {
  const forked = gsup
    .records()
    .filter(({ type }) => type === 'run-forked')
    .map(({ process }) => programOf(String(process).replace(/\.\d+$/, '')));
  for (const [first, then] of begins) {
    expect(forked).toContain(first);
    expect(forked.lastIndexOf(first), `${forked}`).toBeLessThan(forked.indexOf(then));
  }
}

/** Starts what a config says, stops it, and compares the story. */
async function tryConfig(trial: Trial, config: unknown, story: string, expected: Expected): Promise<Gsup> {
  const gsup = await trial.up(config, { env: { POSTGRES_PASSWORD: 'x' } });
  await begun(gsup, story, expected);
  gsup.signal('SIGTERM');
  const { code } = await gsup.ended();
  expect(faultsOf(storyAt(story, expected).lines(), expected)).toEqual([]);
  expect(code, gsup.stderr.text()).toBe(0);
  expectBegins(gsup, expected);
  return gsup;
}

const SUPERVISORD: ReadonlyArray<readonly [name: string, expected: Expected]> = [
  [
    'supervisord-sshd-apache',
    { starts: { sshd: 1, apache2: 1 }, signals: { sshd: 'SIGTERM', apache2: 'SIGTERM' } },
  ],
  [
    'supervisord-laravel-worker',
    { starts: { 'queue-worker': 8 }, signals: { 'queue-worker': 'SIGTERM' }, groups: ['queue-worker'] },
  ],
  [
    'supervisord-nginx-php-fpm',
    {
      starts: { 'php-fpm': 1, nginx: 1 },
      signals: { 'php-fpm': 'SIGQUIT', nginx: 'SIGQUIT' },
      begins: [['php-fpm', 'nginx']],
      stops: [['nginx', 'php-fpm']],
    },
  ],
  ['supervisord-groups', { starts: { cache: 1, api: 3 }, signals: { cache: 'SIGTERM', api: 'SIGTERM' } }],
];

describe.each(SUPERVISORD)('%s', (name, expected) => {
  scenario('starts and stops as expected', WHERE, async (trial) => {
    const [folder, story] = [join(trial.folder, 'copy'), join(trial.folder, 'story')];
    supervisordCopy(caseOf(name), folder, story);
    await tryConfig(trial, configOf(importIn(folder, caseOf(name).file)), story, expected);
  });

  test.skipIf(!isThere('supervisord'))('supervisord itself does the same', async () => {
    await inFolder(async (folder, story) => {
      supervisordCopy(caseOf(name), folder, story);
      await tryOriginal(
        ['supervisord', '-n', '-c', join(folder, caseOf(name).file)],
        folder,
        story,
        expected,
      );
    });
  });
});

const SERVICES: Expected = {
  starts: { db: 1, web: 1 },
  signals: { db: 'SIGINT', web: 'SIGTERM' },
};
/** That of web is not executable, so nobody runs it. */
const FINISHED = ['db finish 0 0'];
const finished = (story: string) =>
  storyAt(story, SERVICES)
    .lines()
    .filter((line) => / finish /.test(line))
    .sort();

describe('s6-servicedir', () => {
  const one = caseOf('s6-servicedir');

  scenario('starts and stops as expected, with finish', WHERE, async (trial) => {
    const [folder, story] = [join(trial.folder, 'copy'), join(trial.folder, 'story')];
    servicesCopy(one, folder, story);
    const config = configOf(importIn(folder, join(folder, one.file)));
    await tryConfig(trial, config, story, SERVICES);
    expect(finished(story)).toEqual(FINISHED);
  });

  test.skipIf(!isThere('s6-svscan'))('s6 itself does the same', async () => {
    await inFolder(async (folder, story) => {
      servicesCopy(one, folder, story);
      await tryOriginal(['s6-svscan', join(folder, one.file)], folder, story, SERVICES);
      expect(finished(story)).toEqual(FINISHED);
    });
  });
});

const OTHERS: ReadonlyArray<readonly [name: string, expected: Expected]> = [
  ['compose-web-redis', { starts: { web: 1, redis: 1 }, signals: { web: 'SIGTERM', redis: 'SIGTERM' } }],
  [
    'compose-startup-order',
    {
      starts: { db: 1, redis: 1, migrate: 1, web: 1 },
      once: ['migrate'],
      signals: { db: 'SIGINT', redis: 'SIGTERM', web: 'SIGTERM' },
      begins: [
        ['db', 'migrate'],
        ['migrate', 'web'],
        ['redis', 'web'],
      ],
      stops: [
        ['web', 'db'],
        ['web', 'redis'],
      ],
    },
  ],
  [
    'compose-celery',
    {
      starts: { app: 2, worker: 1, beat: 2, redis: 1 },
      signals: { app: 'SIGINT', worker: 'SIGTERM', beat: 'SIGINT', redis: 'SIGTERM' },
      begins: [
        ['redis', 'app'],
        ['redis', 'worker'],
      ],
      stops: [
        ['app', 'redis'],
        ['worker', 'redis'],
        ['beat', 'redis'],
      ],
    },
  ],
  [
    'pm2-ecosystem',
    {
      starts: { worker: 1, 'api-app': 4 },
      signals: { worker: 'SIGINT', 'api-app': 'SIGINT' },
      groups: ['worker', 'api-app'],
    },
  ],
  [
    'pm2-json',
    {
      starts: { 'npm-start': 1, report: 1, retries: 1 },
      signals: { 'npm-start': 'SIGINT', report: 'SIGTERM', retries: 'SIGINT' },
      groups: ['npm-start', 'retries'],
    },
  ],
  [
    'procfile-foreman',
    {
      starts: { web: 1, job: 1, clock: 1 },
      signals: { web: 'SIGTERM', job: 'SIGTERM', clock: 'SIGTERM' },
      groups: ['web', 'job', 'clock'],
    },
  ],
  [
    'procfile-heroku',
    {
      starts: { release: 1, web: 1, worker: 1 },
      once: ['release'],
      signals: { web: 'SIGTERM', worker: 'SIGTERM' },
      groups: ['web', 'worker'],
      begins: [
        ['release', 'web'],
        ['release', 'worker'],
      ],
    },
  ],
  [
    's6-overlay-services',
    {
      starts: { 'init-01-contenv-example': 1, 'init-02-folders': 1, myapp: 1, 'php-fpm': 1 },
      once: ['init-01-contenv-example', 'init-02-folders'],
      signals: { myapp: 'SIGTERM', 'php-fpm': 'SIGTERM' },
      begins: [
        ['init-01-contenv-example', 'init-02-folders'],
        ['init-02-folders', 'myapp'],
        ['init-02-folders', 'php-fpm'],
      ],
    },
  ],
  [
    's6-rc-source',
    {
      starts: { 'init-config': 1, 'svc-nginx': 1, 'svc-cron': 1 },
      once: ['init-config'],
      signals: { 'svc-nginx': 'SIGTERM', 'svc-cron': 'SIGTERM' },
      begins: [
        ['init-config', 'svc-nginx'],
        ['svc-nginx', 'svc-cron'],
      ],
      stops: [['svc-cron', 'svc-nginx']],
    },
  ],
];

describe.each(OTHERS)('%s', (name, expected) => {
  scenario('starts and stops as expected', WHERE, async (trial) => {
    const story = join(trial.folder, 'story');
    const text = importIn(caseFolder(caseOf(name)), caseOf(name).file);
    const finals = {
      ...expected,
      starts: { ...expected.starts, ...(name === 's6-overlay-services' ? { 'finish-01-goodbye': 1 } : {}) },
    };
    const config = withStandIns(text, story, [...(expected.once ?? []), 'finish-01-goodbye']);
    const gsup = await trial.up(config, { env: { POSTGRES_PASSWORD: 'x' } });
    await begun(gsup, story, expected);
    gsup.signal('SIGTERM');
    const { code } = await gsup.ended();
    expect(faultsOf(storyAt(story, finals).lines(), finals)).toEqual([]);
    expect(code, gsup.stderr.text()).toBe(0);
    expectBegins(gsup, expected);
  });
});

scenario('s6-overlay: the service that ends the container ends the task', WHERE, async (trial) => {
  const story = join(trial.folder, 'story');
  const one = caseOf('s6-overlay-services');
  const once = ['init-01-contenv-example', 'init-02-folders', 'finish-01-goodbye'];
  const gsup = await trial.up(withStandIns(importIn(caseFolder(one), one.file), story, once));
  const { pid } = await gsup.record('run-started', ({ run }) => run === 'myapp#1');
  await until('php-fpm', () =>
    storyAt(story, { starts: { 'php-fpm': 1, myapp: 1 }, signals: {} }).hasBegun(),
  );
  process.kill(Number(pid), 'SIGUSR1');
  expect((await gsup.ended()).code).toBe(0);
  expect(storyAt(story, SERVICES).lines()).toContain('php-fpm SIGTERM');
});

scenario('foreman: when one ends all are stopped', WHERE, async (trial) => {
  const story = join(trial.folder, 'story');
  const one = caseOf('procfile-foreman');
  const gsup = await trial.up(withStandIns(importIn(caseFolder(one), one.file), story));
  await begun(gsup, story, { starts: { web: 1, job: 1, clock: 1 }, signals: {} });
  const { pid } = await gsup.record('run-started', ({ run }) => run === 'job#1');
  process.kill(Number(pid), 'SIGHUP');
  await gsup.ended();
  expect(storyAt(story, SERVICES).lines()).toEqual(expect.arrayContaining(['web SIGTERM', 'clock SIGTERM']));
});

async function inFolder(body: (folder: string, story: string) => Promise<void>): Promise<void> {
  const outer = mkdtempSync(join(tmpdir(), 'gsup-original-'));
  try {
    const folder = join(outer, 'copy');
    mkdirSync(folder);
    await body(folder, join(outer, 'story'));
  } finally {
    rmSync(outer, { recursive: true });
  }
}

/** The original, started, stopped by SIGTERM and waited for. */
async function tryOriginal(
  argv: readonly string[],
  folder: string,
  path: string,
  expected: Expected,
): Promise<void> {
  const [program = '', ...words] = argv;
  const original = spawn(program, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const over = new Promise<void>((resolve) => original.once('close', () => resolve()));
  const output = [collect(original.stdout), collect(original.stderr)];
  const story = storyAt(path, expected);
  const tell = () => [...story.lines(), ...output.map((one) => one.text())].join('\n');
  try {
    await until(`${program} to start all`, story.hasBegun, 60_000, tell);
  } finally {
    original.kill('SIGTERM');
    await Promise.race([
      over,
      until(
        `${program} to end`,
        () => original.exitCode !== null || original.signalCode !== null,
        60_000,
        tell,
      ),
    ]);
  }
  expect(faultsOf(story.lines(), expected)).toEqual([]);
}
