import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { look } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const SCRIPT =
  'trap "exit 0" TERM; trap "exit 1" USR1; echo "A=$A"; echo ready; while :; do sleep 0.05; done';

scenario(
  'S42 a later supervisor needs the files of --env-file no more',
  { modes: ['supervisor'] },
  async (trial) => {
    const dir = mkdtempSync(join(tmpdir(), 'gsup-env-'));
    const file = join(dir, 'a.env');
    writeFileSync(file, 'A=first');
    const restarts = ['--restart', 'always', '--min-duration', '0'];
    const gsup = await trial.start(['--env-file', file, ...restarts, '-g', '12s'], ['sh', '-c', SCRIPT]);
    await gsup.ready();
    const warned = () => gsup.stderr.text().match(/"msg":"no stop budget is set/g)?.length ?? 0;
    await until('the warning of a long stop', () => warned() === 1);
    const first = await gsup.supervisor();
    rmSync(dir, { recursive: true });
    process.kill(first, 'SIGKILL');
    await until('the supervisor to be reaped', () => look(first) === undefined);
    await until(
      'both supervisors',
      () => gsup.records().filter(({ type }) => type === 'supervisor-started').length === 2,
    );
    gsup.signal('SIGUSR1');
    await until('two runs', () => gsup.stdout.text().match(/A=.*\nready/g)?.length === 2);
    expect(gsup.stdout.text().match(/A=first/g)).toHaveLength(2);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    // The first supervisor says what a stop may take, and it alone.
    expect(warned()).toBe(1);
  },
);
