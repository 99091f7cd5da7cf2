import { describe, expect, it } from 'vitest';
import { NOTHING, type Timeline } from '../../src/report/timeline/model.ts';
import { headline, renderSvg, wholeView } from '../../src/report/timeline/svg.ts';

describe('the end of a stop budget', () => {
  const ended = (budgetMs: number): Timeline => ({
    ...NOTHING,
    supervisorMs: [],
    lanes: [],
    lengthMs: 10_000,
    budget: { fromMs: 9000, untilMs: 9000 + budgetMs },
  });

  it('is seen where it is not much further than the end of the task, and told in any case', () => {
    const [near, far] = [ended(4000), ended(60_000)];
    expect(wholeView(near, 1200).toMs).toBeGreaterThan(13_000);
    expect(renderSvg(near, '')).toContain('<g class="budget">');
    expect(headline(near)).toMatch(/; stop budget 4s$/);
    expect(wholeView(far, 1200).toMs).toBeLessThan(11_000);
    expect(renderSvg(far, '')).not.toContain('<g class="budget">');
    expect(headline(far)).toMatch(/; stop budget 1m$/);
    expect(headline({ ...near, budget: null })).not.toContain('budget');
  });
});
