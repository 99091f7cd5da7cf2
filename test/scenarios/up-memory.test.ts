import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { scenario } from '../support/scenario.ts';
import { expectWait } from '../support/story.ts';
import { until } from '../support/until.ts';
import { firstOf, outcomesOf, recordsOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'], timeoutMs: 180_000 } as const;
const PATIENCE_MS = 90_000;
const MIB = 48;

scenario(
  'memory_limit: a tree above it is stopped gracefully, and runs again; one below it is left alone',
  SUPERVISED,
  async (trial) => {
    const holds = [fixture('holds-memory'), String(MIB)];
    const gsup = await trial.up({
      processes: {
        // Its child holds the memory: the whole tree counts.
        large: { command: `trap '' TERM; ${holds.join(' ')}; exit 0`, memory_limit: '32MB' },
        small: { command: holds, memory_limit: '512MB' },
      },
    });
    await until(
      'the next run',
      () => recordsOf(gsup, 'run-started').some(({ run }) => run === 'large#2'),
      PATIENCE_MS,
    );
    const asked = firstOf(gsup, 'stop-requested', 'large#1');
    expect(asked.cause).toBe('memory');
    // Three looks, 5 s apart.
    expectWait(firstOf(gsup, 'run-started', 'large#1'), asked, 15_000, 30_000);
    expect(outcomesOf(gsup)).toEqual(['large#1 killed stopped 0']);
    expect(firstOf(gsup, 'outcome', 'large#1')).toMatchObject({ forced: false, failures: 0 });
    expect(recordsOf(gsup, 'run-started').filter(({ run }) => run === 'small#1')).toHaveLength(1);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(gsup.stderr.text()).toMatch(
      /large#1: above its memory limit of 32MB.*another run takes its place/,
    );
  },
);
