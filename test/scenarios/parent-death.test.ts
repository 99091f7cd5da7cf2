// --parent-death-signal: the end of gsup's own parent is that signal. As PID 1 gsup has none.
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { scenario, type Trial } from '../support/scenario.ts';

const BELOW = { rings: ['subreaper'] } as const;

/** A gsup below a shell that ends when a line comes; it is not gsup that the warden waits for, so more than that is left at first. */
async function below(trial: Trial, signal: string, words: string[]) {
  const gsup = await trial.start(['-p', signal], [fixture('reports-signals'), ...words], {
    before: ['sh', '-c', '"$@" & read line', 'sh'],
    stdin: 'pipe',
    warden: ['--linger', '30000'],
    mayLeave: true,
    brokenLogs: true,
  });
  await gsup.ready();
  return gsup;
}

scenario('the parent ends, and that is a stop signal: the ladder begins', BELOW, async (trial) => {
  const gsup = await below(trial, 'INT', ['--exit-on', 'SIGINT', '--code', '5']);
  gsup.stdin?.end('\n');
  await gsup.stdout.line(/^got SIGINT/);
  expect((await gsup.ended()).immortal).toBe(0);
  const records = gsup.records();
  expect(records.find(({ type }) => type === 'stop-requested')).toMatchObject({ signal: 'SIGINT' });
  expect(records.find(({ type }) => type === 'run-ended')).toMatchObject({ code: 5, forced: false });
});

scenario('the parent ends, and that is another signal: it is forwarded', BELOW, async (trial) => {
  const gsup = await below(trial, 'USR1', ['--exit-on', 'SIGUSR1', '--code', '6']);
  gsup.stdin?.end('\n');
  await gsup.stdout.line(/^got SIGUSR1/);
  await gsup.ended();
  const records = gsup.records();
  expect(records.map(({ type }) => type)).not.toContain('stop-requested');
  expect(records.find(({ type }) => type === 'run-ended')).toMatchObject({ code: 6 });
});
