import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Gsup, type Mode, type Ring, type Settings, startGsup } from './gsup.ts';

/** What a busy machine of two cores may be late by; an early rung has no excuse. */
export const LATE_MS = 700;

/** One test of a scenario: in one ring, in one mode, with a folder of its own. */
export interface Trial {
  readonly ring: Ring;
  readonly mode: Mode;
  /** Gone after the test. */
  readonly folder: string;
  start(options: readonly string[], command: readonly string[], settings?: Settings): Promise<Gsup>;
  /** `gsup up` with this config. */
  up(config: unknown, settings?: Settings, options?: readonly string[]): Promise<Gsup>;
  /** Something to undo after the test, also after a failure; the last one first. */
  afterwards(undo: () => void | Promise<void>): void;
}

export interface Where {
  readonly rings?: readonly Ring[];
  readonly modes?: readonly Mode[];
  readonly timeoutMs?: number;
  /** Mounts something. */
  readonly root?: true;
  /** Not beside other tests of its file: it needs the machine for itself. */
  readonly alone?: true;
}

const isRoot = process.getuid?.() === 0;

function chosen<T extends string>(wanted: readonly T[], variable: string): T[] {
  const only = process.env[variable]?.split(',');
  return wanted.filter((one) => !only || only.includes(one));
}

/**
 * A scenario of SCENARIOS, by its number, in every ring and mode that it is about. The title gets both:
 * `S05 waits for the group after its leader has gone [pid1, order]`.
 */
export function scenario(title: string, where: Where, body: (trial: Trial) => Promise<void>): void {
  for (const ring of chosen(where.rings ?? (['pid1', 'subreaper'] as const), 'GSUP_TEST_RINGS'))
    for (const mode of chosen(where.modes ?? (['order', 'supervisor'] as const), 'GSUP_TEST_MODES')) {
      if (ring === 'portable' && mode === 'order') continue; // there Node is all there is
      const name = `${title} [${ring === 'portable' ? ring : `${ring}, ${mode}`}]`;
      const run = where.alone ? test : test.concurrent;
      if ((ring === 'pid1' || where.root) && !isRoot) test.skip(`${name}: needs root`, () => {});
      else run(name, { timeout: where.timeoutMs ?? 120_000 }, () => perform(ring, mode, body));
    }
}

async function perform(ring: Ring, mode: Mode, body: (trial: Trial) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-'));
  const started: Gsup[] = [];
  const undos: (() => void | Promise<void>)[] = [];
  const start: Trial['start'] = async (options, command, settings) => {
    const gsup = await startGsup({ ring, mode, folder }, options, command, settings);
    started.push(gsup);
    return gsup;
  };
  const trial: Trial = {
    ring,
    mode,
    folder,
    afterwards: (undo) => void undos.unshift(undo),
    start,
    up: (config, settings, options = []) => start(options, [], { ...settings, up: config }),
  };
  let passed = false;
  try {
    await body(trial);
    passed = true;
  } finally {
    const stillRan = (await Promise.all(started.map((gsup) => gsup.clear()))).filter(Boolean).length;
    for (const undo of undos) await undo();
    rmSync(folder, { recursive: true, force: true });
    if (passed) expect(stillRan, 'gsup still ran when the test was over').toBe(0);
  }
}
