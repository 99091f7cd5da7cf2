import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import { readCheckpoint } from '../../src/index.ts';
import { BINARY } from '../support/gsup.ts';
import { faultsOfLog } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';

const bound = 1024 * 1024 + 1000;

/** A signal that is dropped costs one record; ten thousand of them fill a log. */
scenario(
  'a storm of signals fills neither the disk nor the ears of gsup',
  { rings: ['subreaper'], timeoutMs: 240_000 },
  async (trial) => {
    const gsup = await trial.start(['--rewrite', 'USR1:0'], ['/bin/sleep', '600']);
    const old = join(gsup.folder, 'init.log.old');
    await gsup.record('run-started');
    const firstOf = (path: string): number => {
      const text = statSync(path, { throwIfNoEntry: false }) && readFileSync(path, 'latin1').slice(0, 60);
      return Number(/"seq":(\d+)/.exec(text ?? '')?.[1] ?? 0);
    };
    // Put aside a second time: what was put aside first is no more.
    while (firstOf(old) < 2) {
      for (let i = 0; i < 200; i++) gsup.signal('SIGUSR1');
      await setImmediate();
    }
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(143);
    for (const path of [old, join(gsup.folder, 'init.log')])
      expect(statSync(path).size).toBeLessThanOrEqual(bound);
    expect(faultsOfLog(gsup.folder, 'init.log.old')).toEqual([]);
    const { records, problem } = readCheckpoint(gsup.folder);
    expect(problem).toBeNull();
    const gaps = records.filter((record) => record.type === 'gap');
    expect(gaps).toMatchObject([{ cause: 'aside', missing: (gaps[0]?.seq ?? 0) - 1 }]);
    expect(records.at(-1)).toMatchObject({ type: 'task-state', exit_code: 143 });
    const verified = spawnSync(BINARY, ['checkpoint', 'verify', gsup.folder], { encoding: 'utf8' });
    expect([verified.status, verified.stderr]).toEqual([0, '']);
  },
);
