/**
 * Looks for a pattern in lines that nobody vouches for. A pattern that backtracks can take longer than the universe lasts
 * for one line, and this process has other things to do; so each look has an end, and after a few there are no more.
 */
import { createContext, Script } from 'node:vm';

/** Of a line. Who says that he is ready does so in fewer characters, and no look becomes long by a long line alone. */
export const LOOKED_AT_CHARACTERS = 4096;
/** Looks that are cut off, until nothing is looked for any more. */
const CUT_MAX = 3;
/** Long enough for a busy machine, and as long as a supervisor may keep init waiting. */
const LOOK_MS = 250;
/** So that many lines are not taken for a slow one. */
const LINES_A_LOOK = 500;

export interface LineMatcher {
  /** Whether a line matches. */
  matches(lines: readonly string[]): boolean;
  /** Why nothing is looked for any more. */
  gaveUp(): string | null;
}

interface Look {
  readonly pattern: RegExp;
  lines: readonly string[];
  at: number;
  found: boolean;
}

/** Compiled by V8 when it is first needed. */
const look = (): Script =>
  new Script('for (; at < lines.length && !found; at++) found = pattern.test(lines[at].slice(0, most));');

export function createLineMatcher(source: string): LineMatcher {
  const state: Look & { most: number } = {
    pattern: new RegExp(source),
    most: LOOKED_AT_CHARACTERS,
    lines: [],
    at: 0,
    found: false,
  };
  const context = createContext(state);
  const script = look();
  let cut = 0;
  let reason: string | null = null;

  /** false: it did not come to the end in time. */
  const runOn = (): boolean => {
    try {
      script.runInContext(context, { timeout: LOOK_MS });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      return false;
    }
  };

  const matchesAll = (lines: readonly string[]): boolean => {
    Object.assign(state, { lines, at: 0, found: false });
    while (reason === null && !runOn()) {
      const stuckAt = state.at;
      // The time may have gone into the lines before it.
      if (runOn()) break;
      if (state.at > stuckAt) continue;
      const characters = Math.min(lines[stuckAt]?.length ?? 0, LOOKED_AT_CHARACTERS);
      if (++cut >= CUT_MAX)
        reason = `/${source}/ takes too long on a line of ${characters} characters, and is not looked for any more`;
      state.at = stuckAt + 1;
    }
    return state.found;
  };

  return {
    matches(lines) {
      for (let from = 0; from < lines.length && reason === null; from += LINES_A_LOOK)
        if (matchesAll(lines.slice(from, from + LINES_A_LOOK))) return true;
      return false;
    },
    gaveUp: () => reason,
  };
}
