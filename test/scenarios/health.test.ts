import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { scenario } from '../support/scenario.ts';
import { untilAsync } from '../support/until.ts';

/** Of a namespace nobody outside can say which task lives. */
const WHERE = { modes: ['supervisor'], rings: ['subreaper'] } as const;

async function says(gsup: Gsup, flags: string[], code: number, line: string): Promise<void> {
  const wanted = { code, stdout: `${line}\n`, stderr: '' };
  await untilAsync(`health ${flags.join(' ')}: ${line}`, async () => {
    const said = await gsupCommand(gsup, 'health', ...flags);
    return JSON.stringify(said) === JSON.stringify(wanted);
  });
}

scenario('health tells what is ready, unhealthy, and being stopped', WHERE, async (trial) => {
  const gsup = await trial.up({
    processes: {
      a: { command: [fixture('ignores-sigterm')], stop: { grace: '60s' } },
      b: { command: ['sleep', '600'], ready: { exec: ['test', '-e', 'there'], timeout: 'forever' } },
      c: { command: ['sleep', '600'], autostart: false },
    },
  });
  await gsup.ready();
  await says(gsup, ['--ready'], 1, 't: not ready: b is running');
  await says(gsup, [], 0, 't: healthy');
  await says(gsup, ['--live'], 0, 't: it lives');
  await says(gsup, ['--name', 'other'], 1, 'other: it is not running');
  expect((await gsupCommand(gsup, 'stop', 'b', '--wait')).code).toBe(0);
  await says(gsup, ['--ready'], 0, 't: ready');
  process.kill(await gsup.supervisor(), 'SIGKILL');
  await says(gsup, ['--ready'], 0, 't: ready');
  await gsupCommand(gsup, 'shutdown');
  await says(gsup, [], 1, 't: unhealthy: it is being stopped');
  await says(gsup, ['--ready'], 1, 't: not ready: it is being stopped');
  await gsupCommand(gsup, 'shutdown', '--now');
  expect((await gsup.ended()).code).toBe(137);
  await says(gsup, [], 1, 'it is not running');
});

scenario(
  'S74 a plain run is well as long as it runs; 600 probes start no Node',
  { modes: ['order'], rings: ['subreaper'] },
  async (trial) => {
    const gsup = await trial.start([], [fixture('reports-signals'), '--code', '3']);
    await gsup.ready();
    for (let at = 0; at < 60; at++) {
      const ten = Array.from({ length: 10 }, () => gsupCommand(gsup, 'health'));
      expect(new Set((await Promise.all(ten)).map(({ stdout }) => stdout))).toEqual(
        new Set(['t: it runs\n']),
      );
    }
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
  },
);
