import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY } from '../support/gsup.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** kB of memory that each mapping of code in gsup's own file takes, in their order. */
function codeMappings(pid: number): number[] {
  const smaps = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return smaps
    .filter((mapping) => /^\S+ r-xp /.test(mapping) && mapping.startsWith(BINARY, mapping.indexOf('/')))
    .map((mapping) => Number(/^Rss: +(\d+) kB/m.exec(mapping)?.[1]));
}

/** Of a plain run that waits for nothing but its command. As PID 1 it does the same. */
scenario(
  'an idle run has given back what set it up, and its code still works',
  { rings: ['subreaper'], modes: ['order'] },
  async (trial) => {
    const gsup = await trial.start([], [fixture('reports-signals'), '--code', '3']);
    await gsup.ready();
    const begun = await gsup.record('run-started');
    expect(begun.pid).toBeGreaterThan(0);
    // Sanitizers, and linkers that do not read layout.ld, leave one mapping. glibc is not laid out, so some of it comes back.
    const laidOut = readFileSync(BINARY).includes('.resting') && !readFileSync(BINARY).includes('glibc.');
    if (laidOut) await until('its set-up to be given back', () => codeMappings(gsup.pid)[0] === 0);
    gsup.signal('SIGUSR1');
    await gsup.stdout.line(/^got SIGUSR1/);
    if (laidOut) expect(codeMappings(gsup.pid)[0], 'a signal needs none of it').toBe(0);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
  },
);
