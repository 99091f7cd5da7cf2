import { describe, expect, it } from 'vitest';
import { type Environment, parseArguments } from '../../src/cli/parse.ts';
import { normalizeRun, type RunConfig, taskName } from '../../src/config/run-config.ts';

const noFile = (path: string): string => {
  throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
};

function configure(words: string, env: Environment = {}, readFile = noFile) {
  const parsed = parseArguments(
    ['run', ...words.split(' ').filter((word) => word !== ''), '--', '/bin/app'],
    env,
  );
  if (parsed.action !== 'run') throw new Error(JSON.stringify(parsed));
  return normalizeRun(parsed, { env, readFile });
}

function config(words: string, env: Environment = {}, readFile = noFile): RunConfig {
  const configured = configure(words, env, readFile);
  if (configured.kind === 'problems') throw new Error(configured.problems.join());
  return configured.config;
}

describe('normalizeRun', () => {
  it('applies every default', () => {
    expect(config('')).toEqual({
      name: 'app',
      exactName: false,
      http: null,
      launch: {
        argv: ['/bin/app'],
        noNewPrivs: false,
        clearEnv: false,
        envSet: {},
        envUnset: [],
        limits: [],
        terminal: true,
        stdinNull: false,
        notify: true,
        startTimeoutMs: 10_000,
      },
      stop: {
        ladder: [{ action: 'signal', signal: 'received', target: 'group', waitMs: 8000 }],
        waits: 'grace',
        budgetMs: null,
        on: [2, 3, 15],
      },
      restart: { policy: 'no', maxFailures: 1, minDurationMs: 5000 },
      ready: null,
      health: null,
      watchdogMs: null,
      postStop: null,
      exitMap: [],
      rewrite: [],
      parentDeathSignal: null,
      state: { dir: null, required: false, memoryOnly: false },
      log: { level: 'info', format: null },
      stay: false,
    });
  });

  it('knows where a user has set the waits', () => {
    expect(config('-g 5s').stop.waits).toBe('grace');
    expect(config('--rung TERM:5s').stop.waits).toBe('rung');
  });

  it('puts the launch together', () => {
    const { launch } = config(
      '--cwd /srv --user app:staff --umask 027 --nice 5 --oom-score-adj -3 --ulimit core=0',
    );
    expect(launch).toMatchObject({
      cwd: '/srv',
      user: 'app',
      group: 'staff',
      umask: 0o27,
      nice: 5,
      oomScoreAdj: -3,
    });
    expect(launch.limits).toEqual([{ resource: 'core', soft: 0, hard: 0 }]);
    expect(config('--user app:staff --group-id web').launch).toMatchObject({ user: 'app', group: 'web' });
  });

  it('builds the ladder from hold, hook, signal and grace, in this order', () => {
    expect(config('--hold 2s --pre-stop ./drain -s INT -g forever --target tree').stop.ladder).toEqual([
      { action: 'wait', waitMs: 2000 },
      { action: 'exec', command: { shell: './drain' }, waitMs: 10_000 },
      { action: 'signal', signal: 2, target: 'tree', waitMs: null },
    ]);
  });

  it('takes rungs as they are, behind the hook, with the target', () => {
    const words = '--rung USR1:1m --rung wait:1s --rung exec:./d:2s --rung http-post:http://h:3s --rung TERM';
    expect(config(`${words} --target leader --pre-stop ./p`).stop.ladder).toEqual([
      { action: 'exec', command: { shell: './p' }, waitMs: 10_000 },
      { action: 'signal', signal: 10, target: 'leader', waitMs: 60_000 },
      { action: 'wait', waitMs: 1000 },
      { action: 'exec', command: { shell: './d' }, waitMs: 2000 },
      { action: 'http_post', url: 'http://h', waitMs: 3000 },
      { action: 'signal', signal: 15, target: 'leader', waitMs: 8000 },
    ]);
  });

  it.each([
    ['', 'no', 1],
    ['--restart no', 'no', 1],
    ['--restart always', 'always', 0],
    ['--restart unless-stopped', 'always', 0],
    ['--restart on-failure --max-failures 3', 'on-failure', 3],
    ['--max-failures 3', 'on-failure', 3],
    ['--max-failures 0', 'on-failure', 0],
    ['--max-failures 1', 'no', 1],
  ])('restart: %j is %s, %i', (words, policy, maxFailures) => {
    expect(config(words).restart).toMatchObject({ policy, maxFailures });
  });

  it('lets files, then --env, change the environment, and keeps option variables from children', () => {
    const files: Record<string, string> = { 'a.env': 'A=1\nB=1\nHOME', 'b.env': 'B=2\nNONE' };
    const env = { HOME: '/root', GSUP_GRACE: '5s', GSUP_STATE_DIR: '/s', GSUP_TASK: 't', GSUP_NAME: 'n' };
    const words = '--env-file a.env --env-file b.env --env C=3 --env B=3 --env GSUP_NAME=inner';
    const { launch } = config(words, env, (path) => files[path] ?? noFile(path));
    expect(launch.envSet).toEqual({ A: '1', B: '3', C: '3', HOME: '/root', GSUP_NAME: 'inner' });
    expect(launch.envUnset).toEqual(['GSUP_GRACE']);
  });

  it('names every problem of the files', () => {
    const configured = configure('--env-file a --env-file b', {}, (path) =>
      path === 'a' ? '=1' : noFile(path),
    );
    expect(configured).toMatchObject({
      kind: 'problems',
      problems: [
        'cannot use "a:1": a variable like NAME=value is needed, got a line without a name',
        'cannot read "b": the file of --env-file must be readable, got ENOENT',
      ],
    });
  });

  it('translates signals and codes', () => {
    const made = config(
      '--rewrite HUP:0 --rewrite USR1:TERM -e 143 -p INT --stop-on WINCH --stop-budget 30s',
    );
    expect(made.rewrite).toEqual([
      [1, 0],
      [10, 15],
    ]);
    expect(made).toMatchObject({ exitMap: [[143, 0]], parentDeathSignal: 2 });
    expect(made.stop).toMatchObject({ on: [2, 3, 15, 28], budgetMs: 30_000 });
  });

  it.each([
    ['', 'info'],
    ['-v', 'debug'],
    ['-q', 'warn'],
    ['-v --log-level error', 'error'],
  ])('log level: %j is %s', (words, level) => {
    expect(config(words).log.level).toBe(level);
  });
});

describe('taskName', () => {
  it.each([
    ['/usr/bin/node', 'node'],
    ['./a b', 'a_b'],
    ['.hidden', '_hidden'],
    ['-x', '_x'],
    ['', '_'],
    ['/', '_'],
    ['bin/', '_'],
    ['\u001b[31m', '__31m'],
    ['x'.repeat(100), 'x'.repeat(64)],
    ['été', '__t__'],
  ])('calls %j %s', (command, name) => {
    expect(taskName([command])).toBe(name);
  });
});
