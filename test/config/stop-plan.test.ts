import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/parse.ts';
import { normalizeRun } from '../../src/config/run-config.ts';
import { planStop, restartSentence } from '../../src/config/stop-plan.ts';

function plan(words: string) {
  const parsed = parseArguments(['run', ...words.split(' ').filter((word) => word !== ''), '--', 'app'], {});
  if (parsed.action !== 'run') throw new Error(JSON.stringify(parsed));
  const configured = normalizeRun(parsed, { env: {}, readFile: () => '' });
  if (configured.kind !== 'config') throw new Error(configured.problems.join());
  return { ...planStop(configured.config), restart: restartSentence(configured.config.restart) };
}

describe('planStop', () => {
  it('adds up the waits', () => {
    expect(plan('--hold 1s -g 8s')).toMatchObject({ worstMs: 9000, warnings: [] });
    expect(plan('--hold 1s -g forever').worstMs).toBeNull();
    // One that ignores the SIGTERM at the end of its time takes 2 s more.
    expect(plan('--post-stop ./x -g 0').worstMs).toBe(12_000);
  });

  it('S20 warns of a ladder that is longer than the budget, and says what is cut', () => {
    const cut = plan('--rung USR1:5s --rung TERM:20s --stop-budget 10s');
    expect(cut.steps.map(({ waitMs, cutMs }) => [waitMs, cutMs])).toEqual([
      [1800, 3200],
      [7200, 12_800],
    ]);
    expect(cut.warnings).toEqual([
      'the ladder may take 25s, which is more than the stop budget of 10s less a reserve for killing: waits are cut',
    ]);
    expect(cut.worstMs).toBe(9000);
  });

  it('has nothing to say where the ladder fits into the budget', () => {
    expect(plan('-g 9s --stop-budget 10s').warnings).toEqual([]);
    expect(plan('-g 9001ms --stop-budget 10s').warnings).toHaveLength(1);
  });

  it('S24 shares the budget with the post-stop hook', () => {
    const cut = plan('-g 8s --stop-budget 10s --post-stop ./x');
    expect(cut.steps.map(({ waitMs, cutMs }) => [waitMs, cutMs])).toEqual([[3600, 4400]]);
    expect(cut.postStop).toMatchObject({ sentence: 'run ./x', waitMs: 4500, cutMs: 5500 });
    expect(cut.worstMs).toBe(9000);
    expect(cut.warnings).toEqual([
      'the ladder with the post-stop hook may take 20s, which is more than the stop budget of 10s less a reserve for killing: waits are cut',
    ]);
  });

  it('counts forever as all that is left of the budget', () => {
    const cut = plan('-g forever --stop-budget 30s');
    expect(cut.steps.map((step) => step.waitMs)).toEqual([29_000]);
    expect(cut.warnings).toHaveLength(1);
  });

  it("warns of more than Docker's 10 s only where no budget is set", () => {
    expect(plan('-g 10s').warnings).toEqual([]);
    expect(plan('-g 10001ms').warnings[0]).toContain('--stop-timeout 13');
    expect(plan('-g 20s --stop-budget 60s').warnings).toEqual([]);
    expect(plan('-g forever').warnings[0]).toContain('waits forever');
  });
});

describe('restartSentence', () => {
  it.each([
    ['', 'does not run again'],
    ['--restart on-failure', 'runs again after failure, without limit, at least 5s apart'],
    ['--max-failures 3', 'runs again after failure, until it has failed 3 times, at least 5s apart'],
    [
      '--restart always --max-failures 1 --min-duration 0',
      'runs again whenever it ends, until it has failed once',
    ],
  ])('%j: %s', (words, sentence) => {
    expect(plan(words).restart).toBe(sentence);
  });
});
