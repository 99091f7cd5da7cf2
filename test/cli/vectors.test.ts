/** The vectors that both parsers obey: the one in TypeScript here, init's own through build/options-driver. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/parse.ts';

/** A word, or one too long to be written out. */
type Word = string | { readonly prefix: string; readonly repeat: string; readonly times: number };

interface Vector {
  readonly title: string;
  readonly argv: readonly Word[];
  readonly env?: Readonly<Record<string, string>>;
  /** Longer than what the kernel passes to a program: only the parser in TypeScript can be asked. */
  readonly over?: 'ARG_MAX';
  /** `options` has only those that differ from the defaults. */
  readonly expect: { readonly action: string; readonly options?: Readonly<Record<string, unknown>> };
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../vectors/options.json', import.meta.url), 'utf8'),
);
/** Another build of it may be tried: scripts/test-arm64.sh. */
const driver =
  process.env.GSUP_OPTIONS_DRIVER ?? new URL('../../build/options-driver', import.meta.url).pathname;

const DEFAULTS: Readonly<Record<string, unknown>> = {
  file: [],
  grace: 8000,
  'stop-signal': null,
  'stop-on': ['SIGINT', 'SIGQUIT', 'SIGTERM'],
  target: 'group',
  hold: 0,
  rung: [],
  'stop-budget': null,
  restart: null,
  'max-failures': null,
  'min-duration': 5000,
  'exit-map': [],
  rewrite: [],
  'parent-death-signal': null,
  cwd: null,
  user: null,
  'group-id': null,
  umask: null,
  env: [],
  'env-file': [],
  'clear-env': false,
  detach: false,
  ulimit: [],
  nice: null,
  'oom-score-adj': null,
  'no-new-privs': false,
  ready: null,
  health: null,
  'pre-stop': null,
  'pre-stop-timeout': 10_000,
  'post-stop': null,
  'start-timeout': 10_000,
  'require-state': false,
  log: null,
  stay: false,
  http: null,
  'token-file': null,
  'no-checkpoint': false,
  'state-dir': null,
  name: null,
  'log-level': null,
  'log-format': null,
  verbose: false,
  quiet: false,
};

function spell(word: unknown): unknown {
  if (typeof word !== 'object' || word === null || !('repeat' in word)) return word;
  const { prefix, repeat, times } = word as Exclude<Word, string>;
  return prefix + repeat.repeat(times);
}

function expected(vector: Vector): unknown {
  if (vector.expect.options === undefined) return vector.expect;
  const said = Object.entries(vector.expect.options).map(([name, value]) => [name, spell(value)]);
  return { ...vector.expect, options: { ...DEFAULTS, ...Object.fromEntries(said) } };
}

/** Only what a driver in C prints too. */
function parse(argv: readonly string[], env: Readonly<Record<string, string>>): unknown {
  const parsed = parseArguments(argv, env);
  if (parsed.action === 'error') return { action: 'error', message: parsed.message };
  if (parsed.action === 'up') return { action: 'up', words: parsed.words, options: parsed.options };
  if (parsed.action !== 'run') return { action: parsed.action };
  return { action: 'run', plain: parsed.plain, command: parsed.command, options: parsed.options };
}

describe('options in TypeScript', () => {
  it.each(vectors.map((vector) => [vector.title, vector] as const))('%s', (_, vector) => {
    const argv = vector.argv.map((word) => spell(word) as string);
    expect(parse(argv, vector.env ?? {})).toEqual(expected(vector));
  });
});

describe.skipIf(!existsSync(driver))('options in C', () => {
  it.each(
    vectors.filter((vector) => vector.over === undefined).map((vector) => [vector.title, vector] as const),
  )('%s', (_, vector) => {
    const argv = vector.argv.map((word) => spell(word) as string);
    const printed = execFileSync(driver, argv, { env: vector.env ?? {}, encoding: 'utf8', timeout: 10_000 });
    expect(JSON.parse(printed)).toEqual(expected(vector));
  });
});
