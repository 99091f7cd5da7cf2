import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest, quote } from '../../src/cli/messages.ts';
import { environmentName, isForRun } from '../../src/cli/option-row.ts';
import { OPTION_ROWS } from '../../src/cli/options.ts';
import { type ParsedRun, parseArguments, parseRun } from '../../src/cli/parse.ts';

const RUN_ROWS = OPTION_ROWS.filter(isForRun);

/** Words that have something to do with the language, so that random lines get past the first one. */
const SAMPLES = [
  '5s',
  'TERM',
  '15',
  'forever',
  'group',
  'no',
  '3',
  'A=1',
  '143=0',
  'HUP:0',
  'nofile=1',
  'TERM:5s',
  'x',
];
const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...RUN_ROWS.map((row) => `--${row.long}`)) },
  { weight: 3, arbitrary: fc.constantFrom(...SAMPLES) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('-g', '-g5s', '-v', '-vq', '-vg', '-s', '-e143', '--', '-', '-5', '-x', '-v-'),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...RUN_ROWS), fc.constantFrom(...SAMPLES))
      .map(([row, text]) => `--${row.long}=${text}`),
  },
  { weight: 1, arbitrary: fc.string() },
);
const line = fc.array(word, { maxLength: 8 });
const variables = fc.dictionary(
  fc.constantFrom(...RUN_ROWS.map((row) => environmentName(row.long))),
  fc.oneof(fc.constantFrom(...SAMPLES, '1', 'A=1\nB=2'), fc.string()),
  { maxKeys: 2 },
);

describe('parseArguments', () => {
  it('answers every line, in printable ASCII where it complains', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(word, fc.string({ unit: 'binary' })), { maxLength: 8 }),
        variables,
        (argv, env) => {
          const parsed = parseArguments(['run', ...argv], env);
          if (parsed.action !== 'error') return;
          expect(parsed.message).toMatch(/^cannot (use|run) [\x20-\x7e]+$/);
          expect(parsed.message.length).toBeLessThan(1000);
        },
      ),
    );
  });

  it('finds the same options and the same command as commander does, where commander knows the language', () => {
    fc.assert(
      fc.property(line, (argv) => {
        // What commander takes for a command, or for the end of options, and gsup does not.
        fc.pre(!argv.some((text) => /^-\d|^-v+q?-|^--[a-z-]+=$/.test(text)));
        const parsed = parseRun(argv, {});
        const other = withCommander(argv);
        if (parsed.action === 'run')
          expect(other).toEqual({ said: new Set(parsed.given.keys()), command: parsed.command });
        else if (
          parsed.action === 'error' &&
          /no such option|takes no value|got nothing/.test(parsed.message)
        ) {
          expect(other).toBe('error');
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('remembers where an option was said', () => {
    const parsed = parseArguments(['run', '-g5s', 'app'], { GSUP_HOLD: '1s', GSUP_GRACE: '2s' }) as ParsedRun;
    expect([...parsed.given]).toEqual([
      ['grace', '--grace'],
      ['hold', 'GSUP_HOLD'],
    ]);
  });

  it('gives other commands the common options from before the word, and from the environment', () => {
    const parsed = parseArguments(['--name', 'web', 'status', '--json'], {
      GSUP_STATE_DIR: '/s',
      GSUP_GRACE: 'x',
    });
    expect(parsed).toMatchObject({ action: 'other', words: ['status', '--json'] });
    expect(parsed.action === 'other' && parsed.options).toMatchObject({ name: 'web', 'state-dir': '/s' });
  });
});

const driver = new URL('../../build/options-driver', import.meta.url).pathname;

describe.skipIf(!existsSync(driver))('both parsers', () => {
  it('say the same of any line', () => {
    // NUL cannot be passed, and what is not UTF-8 is not the same text in JavaScript.
    const passable = (text: string) => !text.includes('\0') && Buffer.from(text).toString() === text;
    fc.assert(
      fc.property(line, variables, (argv, env) => {
        fc.pre([...argv, ...Object.values(env)].every(passable));
        const printed = execFileSync(driver, ['run', ...argv], { env, encoding: 'utf8', timeout: 10_000 });
        expect(JSON.parse(printed)).toEqual(comparable(['run', ...argv], env));
      }),
      { numRuns: 100 },
    );
  });
});

function comparable(argv: readonly string[], env: Readonly<Record<string, string>>): unknown {
  const parsed = parseArguments(argv, env);
  if (parsed.action === 'error') return { action: 'error', message: parsed.message };
  if (parsed.action !== 'run') return { action: parsed.action };
  return { action: 'run', plain: parsed.plain, command: parsed.command, options: parsed.options };
}

/** The table, read by commander with everything that makes it like `run`. */
function withCommander(argv: readonly string[]) {
  const said = new Set<string>();
  const command = new Command('run')
    .exitOverride()
    .helpOption(false)
    .enablePositionalOptions()
    .passThroughOptions()
    .argument('[command...]')
    .configureOutput({ writeErr: () => {} })
    .action(() => {});
  for (const row of RUN_ROWS) {
    const names = row.short === undefined ? `--${row.long}` : `-${row.short}, --${row.long}`;
    command.addOption(new Option(row.kind === 'flag' ? names : `${names} <value>`));
    command.on(`option:${row.long}`, () => said.add(row.long));
  }
  try {
    command.parse([...argv], { from: 'user' });
  } catch {
    return 'error';
  }
  return { said, command: command.args };
}

describe('quote', () => {
  it('leaves nothing that moves a cursor, and is never long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(quote(text)).toMatch(/^[\x20-\x7e]{0,260}$/);
      }),
    );
  });

  it('tells different short texts apart', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (one, other) => {
        expect(quote(one) === quote(other)).toBe(one === other);
      }),
    );
  });
});

describe('nearest', () => {
  const names = RUN_ROWS.map((row) => row.long);

  it('finds the option in which one letter is wrong, missing or too many', () => {
    const long = names.filter((name) => name.length >= 5);
    fc.assert(
      fc.property(fc.constantFrom(...long), fc.nat(), fc.constantFrom('', 'z', 'zz'), (name, at, letters) => {
        const place = 1 + (at % (name.length - 1));
        const typed = name.slice(0, place) + letters + name.slice(place + 1);
        expect(nearest(typed, names)).toBe(names.find((known) => known.startsWith(typed)) ?? name);
      }),
    );
  });

  it('says nothing of words that resemble nothing', () => {
    for (const typed of ['', 'x', 'frobnicate', 'zzzzzz', 'x'.repeat(1_000_000)])
      expect(nearest(typed, names)).toBeUndefined();
  });
});
