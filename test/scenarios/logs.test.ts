// `gsup logs`, live and after the end, with the real pump. What it makes of files: test/cli/logs.test.ts, test/logs.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { BINARY } from '../support/gsup.ts';
import { collect } from '../support/output.ts';
import { pumpOf } from '../support/pump.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const argvOf = (trial: Trial, words: readonly string[]) => [
  'logs',
  '--state-dir',
  join(trial.folder, 'state'),
  '--name',
  't',
  ...words,
];

function logs(trial: Trial, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(BINARY, argvOf(trial, words), { encoding: 'utf8' });
  return { status, stdout, stderr };
}

function follow(trial: Trial, ...words: string[]) {
  const child = spawn(BINARY, argvOf(trial, ['-f', ...words]), { stdio: ['ignore', 'pipe', 'pipe'] });
  trial.afterwards(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { stdout: collect(child.stdout), stderr: collect(child.stderr), ended };
}

const LINES = 1000;
const SIZE = 100;
/** Writes so many numbered lines for each line that it reads. */
const program = `BEGIN { for (i = 0; i < ${LINES}; i++) { l = sprintf("%07d ", n++); while (length(l) < ${SIZE - 1}) l = l "x"; print l } }`;
const writer = [
  'sh',
  '-c',
  `n=0; while read -r more; do /usr/bin/awk -v n=$n '${program}'; n=$((n + ${LINES})); done`,
];
const line = (number: number): string => `${String(number).padStart(7, '0')} `.padEnd(SIZE - 1, 'x');
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `${line(from + at)}\n`).join('');

scenario(
  'S59 S60 logs -f has every line once and in order across rotations and a pump that is killed, and ends with the task',
  // From outside a namespace nobody can tell whether a task lives, and who looks from inside ends with its PID 1.
  { rings: ['subreaper'] },
  async (trial) => {
    const gsup = await trial.start(['--log', 'prefix'], writer, { stdin: 'pipe' });
    await gsup.record('run-started');
    const followers = [follow(trial), follow(trial, '--since', '1h', 't')];
    const batches = 8;
    for (let batch = 1; batch <= batches; batch++) {
      gsup.stdin?.write('more\n');
      for (const { stdout } of followers)
        await until(
          `batch ${batch}`,
          () => stdout.text().includes(line(batch * LINES - 1)),
          30_000,
          () => stdout.text().slice(-300),
        );
      if (batch === 5) process.kill(pumpOf(gsup)() ?? 0, 'SIGKILL');
    }
    gsup.stdin?.end();
    expect((await gsup.ended()).code).toBe(0);
    for (const { stdout, stderr, ended } of followers) {
      expect(await ended).toBe(0);
      expect(stdout.text() === lines(0, batches * LINES), 'every line').toBe(true);
      expect(stderr.text()).toBe('');
    }
    const kept = logs(trial);
    expect(kept.status).toBe(0);
    expect(lines(0, batches * LINES).endsWith(kept.stdout)).toBe(true);
    // Half of what a copy may hold is always there.
    expect(kept.stdout.length).toBeGreaterThan(64 * 1024);
    expect(logs(trial, '-n', '2').stdout).toBe(lines(batches * LINES - 2, batches * LINES));
  },
);

scenario('S60 logs of a command that is not captured says how to capture it', {}, async (trial) => {
  const gsup = await trial.start([], ['true']);
  await gsup.ended();
  const { status, stderr } = logs(trial);
  expect(status).toBe(69);
  expect(stderr).toContain('capture it with gsup run --log prefix');
});

scenario(
  'S60 S64 up: processes by time, with the last line that has no end',
  { modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.up({
      logging: { driver: 'prefix' },
      processes: {
        db: { command: 'printf "\\033[2Jdb\\001\\n"; echo oops >&2', max_failures: 1 },
        web: { command: 'printf "one\\nlast"', depends_on: { db: { condition: 'completed_successfully' } } },
        quiet: { command: 'echo not kept', logging: { driver: 'none' } },
      },
    });
    expect((await gsup.ended()).code).toBe(0);
    const { stdout, stderr } = logs(trial);
    expect(stdout).toBe('db    | \u001b[2Jdb\u0001\nweb   | one\nweb   | last\n');
    expect(stderr).toBe('db    | oops\n');
    expect(logs(trial, 'quiet')).toMatchObject({ status: 69, stdout: '' });
  },
);
