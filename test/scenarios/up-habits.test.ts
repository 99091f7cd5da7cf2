// What fingers know from Docker, Compose and tail works here as well; `down` is in commands.test.ts.
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { BINARY } from '../support/gsup.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** Of a namespace nobody outside can say which task lives. */
const WHERE = { modes: ['supervisor'], rings: ['subreaper'] } as const;
const config = `processes:\n  web:\n    command: "printf '%s\\n' one two three; exec sleep 60"\n`;

scenario('up -f - reads standard input; ps is status, and logs --tail is -n', WHERE, async (trial) => {
  const words = ['up', '--state-dir', `${trial.folder}/state`, '--name', 't', '-f', '-'];
  const gsup = await trial.start([], [], { instead: [BINARY, ...words], stdin: 'pipe' });
  gsup.stdin?.end(config);
  await until('three lines', () => gsup.stdout.lines(/three/).length === 1);
  expect(gsup.stdout.lines(/^web \| (one|two|three)$/)).toHaveLength(3);

  const [ps, status] = [await gsupCommand(gsup, 'ps', '--json'), await gsupCommand(gsup, 'status', '--json')];
  const shape = ({ stdout }: typeof ps) => {
    const { task, processes } = JSON.parse(stdout);
    return [task.name, task.state, processes.map(({ run, state }: Record<string, unknown>) => [run, state])];
  };
  expect(shape(ps)).toEqual(['t', 'active', [['web#1', 'running']]]);
  expect(shape(status)).toEqual(shape(ps));

  const tail = await gsupCommand(gsup, 'logs', '--tail', '2');
  expect(tail).toEqual(await gsupCommand(gsup, 'logs', '-n', '2'));
  expect(tail.stdout).toMatch(/two\n.*three\n$/);

  // What has been read from a pipe is not there any more, and that is said.
  const reload = await gsupCommand(gsup, 'reload');
  expect(reload.code).not.toBe(0);
  expect(reload.stderr).toContain('standard input');

  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
});

scenario('check --print of standard input is the config with its defaults', WHERE, async (trial) => {
  const check = await trial.start([], [], {
    instead: [BINARY, 'check', '--print', '-f', '-'],
    stdin: 'pipe',
    brokenLogs: true,
  });
  check.stdin?.end(config);
  expect((await check.ended()).code).toBe(0);
  expect(check.stdout.text()).toMatch(/^max_failures: 1$/m);
  expect(check.stdout.text()).toMatch(/^ {4}start_timeout: 10s$/m);
});
