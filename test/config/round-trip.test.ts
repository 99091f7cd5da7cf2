// Whatever the text is, there is an answer; and what gsup prints of a config means the same config.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseDotenv } from '../../src/config/dotenv.ts';
import { interpolate } from '../../src/config/interpolate.ts';
import { printConfig } from '../../src/config/print-config.ts';
import { planUp } from '../../src/config/up-plan.ts';
import { configOf, load, loadText } from './written.ts';

const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.includes('\0'));
/** A dollar that stays one. */
const literal = word.map((text) => text.replaceAll('$', '$$$$'));
const duration = fc.constantFrom('0', '500ms', '8s', '1m30s', '2h', '1d');
const positive = fc.constantFrom('500ms', '8s', '1m30s', '1.5s');
const wait = fc.oneof(duration, fc.constant('forever'));
const command = fc.oneof(literal, fc.array(literal, { minLength: 1, maxLength: 3 }));
const signal = fc.constantFrom('TERM', 'SIGINT', 'usr1', 'RTMIN+3', '15');
const key = fc.stringMatching(/^[A-Z_]{1,8}$/);

const rung = fc.oneof(
  fc.record({ signal, wait, target: fc.constantFrom('group', 'leader', 'tree') }),
  fc.record({ exec: command, wait }),
  fc.record({ http_post: fc.constant('http://127.0.0.1:1/x'), wait }),
  fc.record({ wait }),
  fc.constantFrom('TERM:1s', 'wait:5s', 'exec:./x y:forever'),
);

const stop = fc.oneof(
  fc.record(
    {
      signal,
      grace: wait,
      target: fc.constantFrom('group', 'leader'),
      hold: wait,
      post_stop: command,
      busy: command,
    },
    { requiredKeys: [] },
  ),
  fc.record({ pre_stop: command, pre_stop_timeout: positive, must_drain: fc.boolean() }),
  fc.record({ ladder: fc.array(rung, { minLength: 1, maxLength: 4 }) }),
);

const process = fc
  .record(
    {
      command,
      environment: fc.dictionary(key, fc.oneof(literal, fc.integer(), fc.boolean(), fc.constant(null))),
      clear_env: fc.boolean(),
      user: fc.constantFrom('root', '1000:1000', 33),
      umask: fc.constantFrom('022', '0777', '7'),
      ulimits: fc.dictionary(
        fc.constantFrom('nofile', 'core'),
        fc.constantFrom(5, 'unlimited', { soft: 1, hard: 2 }),
      ),
      nice: fc.integer({ min: -20, max: 19 }),
      ready: fc.oneof(
        fc.constantFrom({ notify: true }, { fd: 3 }, { tcp: '[::1]:80' }, { http: 'http://x/' }),
        fc.record({ exec: command, timeout: fc.constantFrom('1s', 'forever') }),
        fc.constant({ log: '^ready$' }),
      ),
      healthcheck: fc.record(
        { tcp: fc.constant(80), interval: positive, watchdog: positive },
        { requiredKeys: ['tcp'] },
      ),
      restart: fc.constantFrom('on-failure', 'always', 'unless-stopped', 'on-failure:3'),
      backoff: fc.record({ jitter: fc.constantFrom('0%', '33.3%'), factor: fc.constantFrom(1.5, 3) }),
      replicas: fc.integer({ min: 1, max: 4 }),
      ephemeral: fc.boolean(),
      autostart: fc.boolean(),
      success_exit_codes: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 3 }),
      stop,
      on_signal: fc.constantFrom({ HUP: 'HUP' }, { USR1: 'drop', 'RTMIN+1': 'TERM' }),
      memory_limit: fc.constantFrom('1g', '1.5mb', '100b'),
      start_timeout: fc.constantFrom('1s', 'forever'),
      pre_start: command,
      pre_start_timeout: fc.constantFrom('1m', 'forever'),
      logging: fc.constantFrom(
        { driver: 'none' },
        { driver: 'json', timestamps: true },
        { driver: 'prefix' },
      ),
    },
    { requiredKeys: ['command'] },
  )
  .map(({ pre_start_timeout, ...each }) =>
    each.pre_start === undefined ? each : { ...each, pre_start_timeout },
  );

/** Not numbers: JavaScript puts these first, whatever stands first in the file. */
const name = fc.stringMatching(/^[a-w_][a-w0-9_-]{0,5}$/);

/** Processes that depend only on earlier ones. */
const config = fc
  .tuple(
    fc.uniqueArray(name, { minLength: 1, maxLength: 6 }),
    fc.infiniteStream(process),
    fc.infiniteStream(fc.nat()),
  )
  .map(([names, processes, numbers]) => {
    const pick = () => numbers.next().value as number;
    const entries = names.map((one, at) => {
      const { ...shape } = processes.next().value as Record<string, unknown>;
      if (shape.logging !== undefined && JSON.stringify(shape.ready ?? '').includes('log'))
        delete shape.logging;
      if (at === 0) delete shape.ephemeral;
      const on = names.slice(0, at).filter(() => pick() % 2 === 0);
      return [one, { ...shape, depends_on: on }] as const;
    });
    return new Map(entries);
  });

const written = config.map((processes) => stringify({ processes }, { lineWidth: 0 }));

describe('any text', () => {
  it('is a config or has problems, as YAML and as a Procfile', () => {
    const alphabet = fc.constantFrom(
      ...'abp:-[]{}&*!|>\'"%@`#?,\n \t$<=\\0\uFEFF\u2028',
      'processes:\n',
      ' command: ',
      '<<: ',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(alphabet, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (one) => {
        for (const file of ['gsup.yaml', 'Procfile']) {
          const loaded = load({ [file]: one });
          if (loaded.kind === 'config') continue;
          expect(loaded.problems.length).toBeGreaterThan(0);
          for (const { line, column } of loaded.problems) expect(line * column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is interpolated or refused, in time that grows with its length', () => {
    const parts = fc.constantFrom('$', '{', '}', 'A', 'B', ':', '-', '?', '+', '$$', '${', '${A:-');
    const text = fc.array(parts, { maxLength: 60 }).map((list) => list.join(''));
    fc.assert(
      fc.property(text, fc.boolean(), (one, forShell) => {
        const { problems } = interpolate(one, { A: 'a$B' }, forShell);
        if (forShell) expect(problems.filter((rule) => !rule.includes('must be set'))).toEqual([]);
      }),
    );
    expect(interpolate('${A:-'.repeat(50_000), {}, false).problems).toHaveLength(1);
  });

  it('is a file of variables, or lines of it have problems', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseDotenv(text, '.env', {})));
  });
});

describe('a config', () => {
  it('is printed as a config that means the same', () => {
    fc.assert(
      fc.property(written, (text) => {
        const first = configOf(loadText(text, { env: { A: 'own' } }));
        expect(configOf(loadText(printConfig(first)))).toEqual(first);
      }),
      { numRuns: 40 },
    );
  });

  it('has a plan in which everybody stops before what it depends on, and names are unique', () => {
    fc.assert(
      fc.property(written, (text) => {
        const { processes } = planUp(configOf(loadText(text)), 'app', '0');
        const levels = new Map(processes.map((one) => [one.name, one.level]));
        expect(levels.size).toBe(processes.length);
        for (const { level, dependsOn } of processes)
          for (const { on } of dependsOn)
            expect(level).toBeGreaterThan(levels.get(on) ?? Number.POSITIVE_INFINITY);
      }),
      { numRuns: 40 },
    );
  });
});
