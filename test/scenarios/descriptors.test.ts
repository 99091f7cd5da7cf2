import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { descriptorsOf } from '../../src/config/descriptor-limit.ts';
import type { ProcessPlan } from '../../src/supervisor/plan.ts';
import type { Output } from '../../src/supervisor/vocabulary.ts';
import { LAUNCH, processPlan } from '../simulation/plans.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const FEW = 2;
const MANY = 7;

/** How many descriptors init has when so many processes run, each with a question under way where it has one. */
async function held(
  trial: Trial,
  count: number,
  config: (log: string) => object,
  asks: boolean,
): Promise<number> {
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  const each = (name: string) => ({
    command: ['sleep', '600'],
    ...config(join(trial.folder, `${name}.log`)),
  });
  const gsup = await trial.up({ processes: Object.fromEntries(names.map((name) => [name, each(name)])) });
  const runs = names.length * (asks ? 2 : 1);
  const started = () => gsup.records().filter(({ type }) => type === 'run-started').length;
  await until('all of them', () => started() >= runs);
  const descriptors = readdirSync(`/proc/${gsup.pid}/fd`).length;
  gsup.signal('SIGTERM');
  await gsup.ended();
  return descriptors;
}

const captured = (driver: string): ProcessPlan =>
  processPlan('p', { launch: { ...LAUNCH, output: { driver, timestamps: false } as Output } });
const asking = {
  healthcheck: { test: ['CMD', 'sleep', '600'], interval: '100ms', start_interval: '100ms', timeout: '600s' },
};
const health = {
  probe: { kind: 'exec', command: { exec: ['sleep', '600'] } },
} as unknown as ProcessPlan['health'];

const CASES: readonly [string, (log: string) => object, ProcessPlan][] = [
  ['inherit', () => ({ logging: { driver: 'inherit' } }), captured('inherit')],
  ['none', () => ({ logging: { driver: 'none' } }), captured('none')],
  ['prefix', () => ({ logging: { driver: 'prefix' } }), captured('prefix')],
  ['json', () => ({ logging: { driver: 'json' } }), captured('json')],
  ['file', (log) => ({ logging: { driver: 'file', path: log } }), captured('file')],
  ['a terminal', () => ({ tty: true }), processPlan('p', { launch: { ...LAUNCH, tty: true } })],
  [
    'none, and a question',
    () => ({ logging: { driver: 'none' }, ...asking }),
    { ...captured('none'), health },
  ],
  [
    'prefix, and a question',
    () => ({ logging: { driver: 'prefix' }, ...asking }),
    { ...captured('prefix'), health },
  ],
];

for (const [what, config, plan] of CASES)
  scenario(
    `init holds as many descriptors for a process as the plan counts: ${what}`,
    { modes: ['supervisor'], rings: ['subreaper'] },
    async (trial) => {
      const asks = plan.health !== null;
      const few = await held(trial, FEW, config, asks);
      const many = await held(trial, MANY, config, asks);
      expect((many - few) / (MANY - FEW)).toBe(descriptorsOf(plan));
    },
  );
