import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { look } from '../support/processes.ts';
import { msBetween } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { expectWait } from '../support/story.ts';
import { until } from '../support/until.ts';
import { firstOf, hooksStarted, isBefore, outcomesOf, recordsOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const done = [fixture('exits-with'), '0'];

scenario('pre_start succeeds, and the command is started after it', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'story');
  const gsup = await trial.up({
    processes: {
      web: {
        command: `echo command >> ${file}`,
        environment: { PLACE: 'here' },
        pre_start: `echo "$GSUP_HOOK $GSUP_RUN $PLACE" >> ${file}`,
      },
    },
  });
  expect((await gsup.ended()).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe('pre-start web#1 here\ncommand\n');
  expect(
    isBefore(firstOf(gsup, 'run-ended', 'web#1/pre-start.1'), firstOf(gsup, 'run-forked', 'web#1')),
  ).toBe(true);
});

scenario(
  'pre_start that fails is a failed start, and comes again before the next run',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'tries');
    // Two tries fail, the third does not.
    const gsup = await trial.up({
      processes: {
        web: {
          command: done,
          pre_start: `echo x >> ${file}; test $(wc -l < ${file}) -eq 3 || exit 9`,
          restart: 'on-failure',
          min_duration: '10ms',
          backoff: { initial: '50ms' },
        },
      },
    });
    expect((await gsup.ended()).code).toBe(0);
    expect(outcomesOf(gsup)).toEqual([
      'web#1 failed start 9',
      'web#2 failed start 9',
      'web#3 success exit 0',
    ]);
    expect(recordsOf(gsup, 'run-forked').map(({ run }) => run)).toEqual(['web#3']);
    expect(gsup.stderr.text()).toContain('pre_start failed with code 9');
  },
);

scenario('pre_start that fails for good is the end of the task, with its code', SUPERVISED, async (trial) => {
  const gsup = await trial.up({ processes: { web: { command: done, pre_start: ['/nowhere/migrate'] } } });
  expect((await gsup.ended()).code).toBe(127);
  expect(outcomesOf(gsup)).toEqual(['web#1 failed start 127']);
});

scenario('pre_start that hangs is ended at its time', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: {
      web: { command: done, pre_start: [fixture('ignores-sigterm')], pre_start_timeout: '1s' },
    },
  });
  expect((await gsup.ended()).code).toBe(137);
  const began = firstOf(gsup, 'hook', 'web#1');
  // From when it was decided, which is before its record was written.
  const left = msBetween(began, { mono_ns: String(began.deadline_ns) });
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(1000);
  expectWait({ mono_ns: String(began.deadline_ns) }, firstOf(gsup, 'rung', 'web#1/pre-start.1'), 0);
  expect(outcomesOf(gsup)).toEqual(['web#1 failed start SIGKILL']);
  expect(recordsOf(gsup, 'run-forked')).toEqual([]);
});

scenario('S27 a stop while pre_start runs ends it, and nothing is started', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: { web: { command: done, pre_start: [fixture('cleans-up-for'), '100'] } },
  });
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(outcomesOf(gsup)).toEqual(['web#1 killed stopped null']);
  expect(recordsOf(gsup, 'run-forked')).toEqual([]);
});

scenario(
  'S69 supervisor killed while pre_start runs: it is found again, and not started a second time',
  SUPERVISED,
  async (trial) => {
    const gate = join(trial.folder, 'gate');
    appendFileSync(gate, '');
    const hook = `echo ready; until test -s ${gate}; do sleep 0.05; done`;
    const gsup = await trial.up({ processes: { web: { command: done, pre_start: hook } } });
    await gsup.ready();
    const pid = await gsup.supervisor();
    process.kill(pid, 'SIGKILL');
    await until('the supervisor to be reaped', () => look(pid) === undefined);
    appendFileSync(gate, 'open');
    expect((await gsup.ended()).code).toBe(0);
    expect(hooksStarted(gsup)).toEqual(['web#1/pre-start.1']);
    expect(outcomesOf(gsup)).toEqual(['web#1 success exit 0']);
  },
);
