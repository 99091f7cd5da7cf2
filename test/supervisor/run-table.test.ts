import { describe, expect, test } from 'vitest';
import { LATER, URGENT } from '../../src/supervisor/run-events.ts';
import { ignore, RUN_TABLE } from '../../src/supervisor/run-table.ts';

const events = [...URGENT, ...LATER];
const minded = (state: keyof typeof RUN_TABLE) =>
  events.filter((event) => RUN_TABLE[state][event] !== ignore);

/** The table in one view: a cell that changes its mind has to be changed here too. */
describe('what each state of a run minds', () => {
  test.each<[keyof typeof RUN_TABLE, string]>([
    ['waiting', 'prepared start blocked'],
    ['backoff', 'prepared start blocked'],
    [
      'forked',
      'ended missing climbed kill stop straggling renew reorder ready not-ready health unhealthy oversized due probe-due',
    ],
    [
      'running',
      'ended missing climbed kill stop straggling renew reorder ready not-ready health unhealthy oversized due probe-due',
    ],
    [
      'ready',
      'ended missing climbed kill stop straggling renew reorder health unhealthy oversized due probe-due',
    ],
    [
      'stopping',
      'ended missing climbed kill escalate extend resume hook-ended due nearly-due waits-long hook-due',
    ],
    ['killing', 'ended missing stuck'],
    ['success', 'hook-due follow'],
    ['failed', 'hook-due follow'],
    ['killed', 'hook-due follow'],
    ['lost', 'hook-due follow'],
  ])('%s: %s', (state, expected) => {
    expect(minded(state).join(' ')).toBe(expected);
  });

  test('the table is total', () => {
    for (const row of Object.values(RUN_TABLE)) expect(Object.keys(row).sort()).toEqual([...events].sort());
  });
});
