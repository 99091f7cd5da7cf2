import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseOrder, runOrder } from './order-lines.ts';

/** One set of vectors for both order machines: the one of the core, and the one of the coordinators in C. */
interface Vector {
  readonly title: string;
  readonly order: string;
  readonly steps: readonly string[];
}

const folder = new URL('../../', import.meta.url);
const vectors: Vector[] = JSON.parse(readFileSync(new URL('test/vectors/orders.json', folder), 'utf8'));
/** Another build of it may be tried: scripts/test-arm64.sh. */
const driver = process.env.GSUP_ORDER_DRIVER ?? new URL('build/order-driver', folder).pathname;

const asked = (step: string): string => step.split(' -> ')[0] ?? '';
const answered = (step: string): string => step.split(' -> ')[1] ?? '';

describe('the order machine in TypeScript', () => {
  test.each(vectors)('$title', ({ order, steps }) => {
    expect(runOrder(parseOrder(order), steps.map(asked))).toEqual(steps.map(answered));
  });
});

describe.skipIf(!existsSync(driver))('the order machine in C (npm run build:native:test)', () => {
  test.each(vectors)('$title', ({ order, steps }) => {
    const input = `${[`order ${order}`, ...steps.map(asked)].join('\n')}\n`;
    const output = execFileSync(driver, { input, encoding: 'utf8', timeout: 10_000 });
    expect(output.trimEnd().split('\n')).toEqual(['ok', ...steps.map(answered)]);
  });
});

test('there are vectors enough to tell two machines apart', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(40);
  expect(new Set(vectors.map((vector) => vector.title)).size).toBe(vectors.length);
});
