/**
 * Kinds of values in a config, for zod: each reads the text that stands in the file, says what is needed when it cannot,
 * and how an editor is told so (JSON Schema). What `run` has an option for is read as that option is.
 */
import * as z from 'zod';
import { needOf, type OptionRow } from '../cli/option-row.ts';
import { OPTION_ROWS, type OptionName, ULIMITS } from '../cli/options.ts';
import { parseTcpAddress } from '../cli/probe-spec.ts';
import { type Converted, convertValue, type OptionValues } from '../cli/values.ts';
import { canBeReceived, normalizeSignal, signalNumber } from '../signals/names.ts';
import type { Probe, ReadyProbe } from '../supervisor/plan.ts';
import type { Command, Target, WaitMs } from '../supervisor/vocabulary.ts';
import { shown } from './problem.ts';
import { parseSize } from './size.ts';

type Json = Readonly<Record<string, unknown>>;
export type Kind<T> = z.ZodType<T>;

interface Editor {
  /** undefined: zod knows it. */
  readonly json?: Json;
  /** Alternatives that are schemas themselves. */
  readonly parts?: readonly z.ZodType[];
  /** What stands in the documentation as its value. */
  readonly label: string;
}

/** How editors and people are told of a kind. */
export const EDITOR = new WeakMap<z.ZodType, Editor>();

export function withEditor<T extends z.ZodType>(kind: T, editor: Editor): T {
  EDITOR.set(kind, editor);
  return kind;
}

const WRONG = { hint: '' } as const;

/** A text that `read` understands. `need`: the noun phrase of `... is needed`. */
export function scalar<T>(
  label: string,
  json: Json,
  need: string,
  read: (text: string) => Converted<T>,
): Kind<T> {
  const kind = z.unknown().transform((raw, ctx): T => {
    const converted = typeof raw === 'string' ? read(raw) : WRONG;
    if ('value' in converted) return converted.value;
    addIssue(ctx, `${need} is needed, got ${shown(raw)}`, converted.hint);
    return z.NEVER;
  });
  return withEditor(kind as Kind<T>, { json, label });
}

interface Context {
  readonly issues: unknown[];
}

/** `path`: below the value that is read. */
export function addIssue(
  ctx: Context,
  rule: string,
  hint = '',
  path: readonly (string | number)[] = [],
  where: 'value' | 'key' = 'value',
): void {
  const params = { hint: hint.replace(/^; /, ''), where };
  ctx.issues.push({ code: 'custom', input: undefined, message: rule, path: [...path], params });
}

/** By the shape of what is written, so that what is wrong is told of that shape alone. */
export function either<T>(need: string, label: string, shapes: Shapes<T>): Kind<T> {
  const kind = z.unknown().transform((raw, ctx): T => {
    const shape = shapeFor(raw, shapes);
    if (shape === undefined) {
      addIssue(ctx, `${need} is needed, got ${shown(raw)}`);
      return z.NEVER;
    }
    const result = shape.safeParse(raw);
    if (result.success) return result.data;
    for (const issue of result.error.issues) (ctx.issues as unknown[]).push({ ...issue, input: undefined });
    return z.NEVER;
  });
  const parts = [shapes.text, shapes.list, shapes.map].filter((part) => part !== undefined);
  return withEditor(kind as Kind<T>, { parts, label });
}

interface Shapes<T> {
  readonly text?: Kind<T>;
  readonly list?: Kind<T>;
  readonly map?: Kind<T>;
}

function shapeFor<T>(raw: unknown, shapes: Shapes<T>): Kind<T> | undefined {
  if (Array.isArray(raw)) return shapes.list;
  if (typeof raw === 'string') return shapes.text;
  return typeof raw === 'object' && raw !== null ? shapes.map : undefined;
}

/** As the option of `run` with that name. */
export function option<K extends keyof OptionValues>(
  long: OptionName,
  json: Json,
  label?: string,
): Kind<OptionValues[K]> {
  const row = rowOf(long);
  const read = (text: string) => convertValue(row, text) as Converted<OptionValues[K]>;
  return scalar(label ?? row.value ?? row.kind, json, needOf(row), read);
}

export function rowOf(long: OptionName): OptionRow {
  const row = OPTION_ROWS.find((candidate) => candidate.long === long);
  if (row === undefined) throw new Error(`no option "${long}"`);
  return row;
}

const DURATION_PATTERN = '(?:[0-9]+(?:\\.[0-9]{1,3})?(?:ms|[dhms]))+';

/** In milliseconds. */
export function duration(limits: { readonly positive?: true } = {}): Kind<number> {
  return durationKind('duration', { ...limits }) as Kind<number>;
}

/** In milliseconds; null: forever. */
export function wait(limits: { readonly positive?: true } = {}): Kind<WaitMs> {
  return durationKind('duration, or `forever`', { ...limits, forever: true });
}

function durationKind(
  label: string,
  limits: { readonly positive?: true; readonly forever?: true },
): Kind<WaitMs> {
  const row: OptionRow = { long: 'x', kind: 'duration', plain: true, help: '', ...limits };
  const words = [limits.positive ? '' : '|0', limits.forever ? '|forever' : ''].join('');
  const text = { type: 'string', pattern: `^(?:${DURATION_PATTERN}${words})$` };
  const json = { anyOf: limits.positive ? [text] : [text, { const: 0 }] };
  return scalar(
    label,
    limits.positive ? text : json,
    needOf(row),
    (from) => convertValue(row, from) as Converted<WaitMs>,
  );
}

export const flag: Kind<boolean> = scalar('`true`, `false`', { type: 'boolean' }, 'true or false', (text) => {
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  const meant = { yes: 'true', on: 'true', '1': 'true', no: 'false', off: 'false', '0': 'false' }[
    text.toLowerCase()
  ];
  return { hint: meant === undefined ? '' : `write ${meant}` };
});

export function whole(min: number, max: number): Kind<number> {
  const row: OptionRow = { long: 'x', kind: 'number', range: [min, max], plain: true, help: '' };
  const json = { type: 'integer', minimum: min, maximum: max };
  return scalar('number', json, needOf(row), (text) => convertValue(row, text) as Converted<number>);
}

/** One of a few words. `taken`: other spellings that mean one of them. */
export function choice<const T extends string>(
  words: readonly T[],
  taken: Readonly<Record<string, T>> = {},
): Kind<T> {
  const json = { enum: [...words, ...Object.keys(taken)] };
  const need = words.join(', ').replace(/, ([^,]*)$/, ' or $1');
  const label = words.map((word) => `\`${word}\``).join(', ');
  return scalar(label, json, need, (text) => {
    const word = words.find((one) => one === text) ?? (Object.hasOwn(taken, text) ? taken[text] : undefined);
    return word === undefined ? WRONG : { value: word };
  });
}

export function text(need: string, label = 'text'): Kind<string> {
  return scalar(label, { type: ['string', 'number', 'boolean'] }, need, (from) =>
    from === '' ? WRONG : { value: from },
  );
}

const SIGNAL_NEED = needOf({ long: 'x', kind: 'signal', plain: true, help: '' });

export const signal: Kind<number> = scalar('signal', { type: ['string', 'integer'] }, SIGNAL_NEED, (name) => {
  const number = signalNumber(name);
  return number === undefined ? WRONG : { value: number };
});

/** In bytes: `100MB`, `512m`, `1g`, by 1,024 as Docker counts. */
export const size: Kind<number> = scalar(
  'size',
  { type: 'string', pattern: '^[0-9]+(?:\\.[0-9]+)?(?:[bB]|[kKmMgGtT](?:[iI]?[bB])?)$' },
  'a size like 512MB, 100k or 2g',
  (from) => {
    const bytes = parseSize(from);
    if (bytes !== undefined) return { value: bytes };
    return /^[0-9]{1,12}$/.test(from) ? { hint: `write ${from}b, or ${from}MB` } : WRONG;
  },
);

const SHARE: Json = { type: 'string', pattern: '^[0-9]{1,3}(?:\\.[0-9]+)?%$' };

/** `10%` → 0.1. */
export const percent: Kind<number> = scalar('percentage', SHARE, 'a percentage from 0% to 100%', (from) => {
  const match = /^([0-9]{1,3}(?:\.[0-9]{1,6})?)%$/.exec(from);
  const value = Number(match?.[1]) / 100;
  return match !== null && value <= 1 ? { value } : WRONG;
});

export const factor: Kind<number> = scalar(
  'number',
  { type: 'number', minimum: 1, maximum: 1000 },
  'a number from 1 to 1000',
  (from) => {
    const value = Number(from);
    return /^[0-9]{1,4}(?:\.[0-9]{1,6})?$/.test(from) && value >= 1 && value <= 1000 ? { value } : WRONG;
  },
);

/** A list of one kind; each item has its place. */
export function listOf<T>(item: Kind<T>, label: string, least = 0): Kind<readonly T[]> {
  const list = z.array(item);
  return withEditor(least > 0 ? list.min(least) : list, { label }) as Kind<readonly T[]>;
}

/** One, or a list of them. */
export function oneOrMore<T>(item: Kind<T>, need: string, label: string): Kind<readonly T[]> {
  const one = mapKind(item, (value): readonly T[] => [value]);
  return either(need, label, { text: one, list: listOf(item, label) });
}

export function mapKind<A, B>(kind: Kind<A>, change: (value: A) => B): Kind<B> {
  const changed = kind.transform(change) as unknown as Kind<B>;
  const editor = EDITOR.get(kind);
  return editor === undefined ? changed : withEditor(changed, editor);
}

const word = scalar<string>('text', { type: ['string', 'number', 'boolean'] }, 'a text', (from) => ({
  value: from,
}));

const shellCommand = mapKind(text('a command'), (shell): Command => ({ shell }));
const execCommand = mapKind(listOf(word, 'list', 1), (exec): Command => ({ exec }));

/** A text is for a shell, a list is executed as it stands. */
export const command: Kind<Command> = either('a command, as a text (for a shell) or a list,', 'command', {
  text: shellCommand,
  list: z.unknown().transform((raw, ctx): Command => {
    const parsed = execCommand.safeParse(raw);
    if (parsed.success && (parsed.data as { exec: readonly string[] }).exec[0] !== '') return parsed.data;
    for (const issue of parsed.error?.issues ?? []) ctx.issues.push({ ...issue, input: undefined } as never);
    if (parsed.success) addIssue(ctx, 'the name of a program is needed, got nothing', '', [0]);
    return z.NEVER;
  }) as Kind<Command>,
});

/** As a list `[K=V, K]`, or as a mapping; null: the value that gsup has. */
export type Variables = ReadonlyArray<readonly [key: string, value: string | null]>;

const variableText = scalar<readonly [string, string | null]>(
  'variable',
  { type: 'string', pattern: '^[^=]+(?:=.*)?$' },
  'a variable like NAME=value, or NAME alone,',
  (from) => {
    const equals = from.indexOf('=');
    if (equals === 0 || from === '') return WRONG;
    return { value: equals < 0 ? [from, null] : [from.slice(0, equals), from.slice(equals + 1)] };
  },
);

const variableMap = z.record(z.string(), z.unknown()).transform(
  (map, ctx): Variables =>
    Object.entries(map).flatMap(([key, value]) => {
      if (key === '' || key.includes('=')) addIssue(ctx, 'a name without = is needed', '', [key], 'key');
      else if (value === null || typeof value === 'string') return [[key, value] as const];
      else addIssue(ctx, `a text is needed, got ${shown(value)}`, '', [key]);
      return [];
    }),
) as unknown as Kind<Variables>;

export const variables: Kind<Variables> = either('a mapping or a list of variables', 'variables', {
  list: listOf(variableText, 'list'),
  map: withEditor(variableMap, {
    label: 'mapping',
    json: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
  }),
});

/** By name; soft and hard. */
export type Limits = ReadonlyArray<OptionValues['ulimits']>;

export const ulimits: Kind<Limits> = withEditor(
  z.record(z.string(), z.unknown()).transform(
    (map, ctx): Limits =>
      Object.entries(map).flatMap(([name, value]) => {
        const limit = limitOf(name, value);
        if (limit !== undefined) return [limit];
        const known = (ULIMITS as readonly string[]).includes(name);
        const rule = known
          ? `a number, unlimited, or {soft, hard} with soft not above hard, is needed, got ${shown(value)}`
          : `one of ${ULIMITS.join(', ')} is needed, got ${shown(name)}`;
        addIssue(ctx, rule, '', [name], known ? 'value' : 'key');
        return [];
      }),
  ) as unknown as Kind<Limits>,
  {
    label: 'mapping',
    json: {
      type: 'object',
      propertyNames: { enum: [...ULIMITS] },
      additionalProperties: {
        anyOf: [
          { type: ['integer', 'string'] },
          {
            type: 'object',
            properties: { soft: { type: ['integer', 'string'] }, hard: { type: ['integer', 'string'] } },
            required: ['soft', 'hard'],
            additionalProperties: false,
          },
        ],
      },
    },
  },
);

function limitOf(name: string, value: unknown): OptionValues['ulimits'] | undefined {
  const said = limitText(value);
  const row = rowOf('ulimit');
  const converted = said === undefined ? WRONG : convertValue(row, `${name}=${said}`);
  return 'value' in converted ? (converted.value as OptionValues['ulimits']) : undefined;
}

function limitText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { soft, hard, ...rest } = value as Record<string, unknown>;
  if (typeof soft !== 'string' || typeof hard !== 'string' || Object.keys(rest).length > 0) return undefined;
  return `${soft}:${hard}`;
}

/** Signal numbers; to 0: dropped. */
export type Rewrites = ReadonlyArray<readonly [from: number, to: number]>;

/** They begin the stop of the task, and cannot mean something else. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

export const signalMap: Kind<Rewrites> = withEditor(
  z.record(z.string(), z.unknown()).transform(
    (map, ctx): Rewrites =>
      Object.entries(map).flatMap(([name, value]) => {
        const wrong = wrongToReceive(name);
        const to = value === 'drop' ? 0 : typeof value === 'string' ? signalNumber(value) : undefined;
        if (wrong !== undefined) addIssue(ctx, wrong.rule, wrong.hint, [name], 'key');
        if (to === undefined) addIssue(ctx, `a signal, or drop, is needed, got ${shown(value)}`, '', [name]);
        return wrong === undefined && to !== undefined ? [[signalNumber(name) ?? 0, to] as const] : [];
      }),
  ) as unknown as Kind<Rewrites>,
  { label: 'mapping', json: { type: 'object', additionalProperties: { type: ['string', 'integer'] } } },
);

function wrongToReceive(name: string): { readonly rule: string; readonly hint: string } | undefined {
  const number = signalNumber(name);
  const got = `is needed, got ${shown(name)}`;
  if (number === undefined || !canBeReceived(number))
    return { rule: `a signal that can be caught, like SIGHUP or SIGUSR1, ${got}`, hint: '' };
  if (!STOP_SIGNALS.includes(normalizeSignal(name) ?? '')) return undefined;
  return { rule: `a signal that does not stop the task ${got}`, hint: 'stop.signal says what a stop sends' };
}

export const httpUrl: Kind<string> = scalar(
  'URL',
  { type: 'string', pattern: '^https?://.' },
  'a URL like http://127.0.0.1:8080/ready',
  (from) => (/^https?:\/\/./.test(from) && URL.canParse(from) ? { value: from } : WRONG),
);

export const tcpAddress: Kind<Probe> = scalar(
  'port, or `host:port`',
  { type: ['integer', 'string'] },
  'a port like 5432, or an address like 127.0.0.1:5432 or [::1]:5432',
  (from): Converted<Probe> => {
    const address = parseTcpAddress(from);
    return address === undefined ? WRONG : { value: address };
  },
);

export const pattern: Kind<ReadyProbe> = scalar(
  'regular expression',
  { type: 'string', format: 'regex' },
  'a regular expression',
  (from): Converted<ReadyProbe> => {
    try {
      new RegExp(from);
      return from === '' ? WRONG : { value: { kind: 'log', pattern: from } };
    } catch (error) {
      return { hint: (error as Error).message.slice(0, 200) };
    }
  },
);

/** By names that are the user's own. */
export function mapOf<T extends z.ZodType>(item: T): Kind<Readonly<Record<string, z.output<T>>>> {
  const json = { patternProperties: { '^x-': {} } };
  return withEditor(z.record(z.string(), item), { label: 'mapping', json }) as unknown as Kind<
    Readonly<Record<string, z.output<T>>>
  >;
}

export interface RestartWord {
  readonly policy: 'no' | 'on-failure' | 'always';
  /** Docker's `on-failure:3`: how often it is run again. */
  readonly retries?: number;
}

const POLICIES: Readonly<Record<string, RestartWord['policy']>> = {
  no: 'no',
  'on-failure': 'on-failure',
  always: 'always',
  'unless-stopped': 'always',
};

export const restartPolicy: Kind<RestartWord> = scalar<RestartWord>(
  '`no`, `on-failure`, `always`',
  { anyOf: [{ enum: Object.keys(POLICIES) }, { type: 'string', pattern: '^on-failure:[0-9]{1,6}$' }] },
  'no, on-failure or always',
  (from) => {
    const retries = /^on-failure:([0-9]{1,6})$/.exec(from)?.[1];
    if (retries !== undefined) return { value: { policy: 'on-failure', retries: Number(retries) } };
    const policy = Object.hasOwn(POLICIES, from) ? POLICIES[from] : undefined;
    return policy === undefined ? WRONG : { value: { policy } };
  },
);

/** As `--rung` has it. */
export const rungText: Kind<RungShape> = mapKind(
  option<'rungs'>('rung', { type: 'string' }, 'rung'),
  (spec): RungShape => {
    switch (spec.action) {
      case 'signal':
        return { signal: signalNumber(spec.signal) ?? 0, wait: spec.waitMs };
      case 'exec':
        return { exec: { shell: spec.command }, wait: spec.waitMs };
      case 'http_post':
        return { http_post: spec.url, wait: spec.waitMs };
      case 'wait':
        return { wait: spec.waitMs };
    }
  },
);

export interface RungShape {
  readonly signal?: number | undefined;
  readonly target?: Target | undefined;
  readonly exec?: Command | undefined;
  readonly http_post?: string | undefined;
  readonly wait?: WaitMs | undefined;
}

/** null: as soon as it is started. */
export const readyWord: Kind<null> = scalar(
  '`started`',
  { const: 'started' },
  'how it becomes ready, like {tcp: 5432}, or started,',
  (from) => {
    if (from === 'started') return { value: null };
    return { hint: from === 'notify' ? 'write {notify: true}' : '' };
  },
);

/** null: no health check. */
export type HealthTest = Command | null;

const testText = mapKind(text('a command'), (shell): HealthTest => (shell === 'NONE' ? null : { shell }));

const testList = z.array(word).transform((words, ctx): HealthTest => {
  const [first, ...rest] = words;
  if (first === 'NONE' && rest.length === 0) return null;
  if (first === 'CMD' && rest[0]) return { exec: rest };
  if (first === 'CMD-SHELL' && rest.length === 1 && rest[0]) return { shell: rest[0] };
  addIssue(ctx, `NONE, [CMD, program, ...] or [CMD-SHELL, text] is needed, got ${shown(first)} first`);
  return z.NEVER;
});

export const healthTest: Kind<HealthTest> = either('a command, as Compose writes it,', 'test', {
  text: testText,
  list: withEditor(testList, { label: 'list' }) as unknown as Kind<HealthTest>,
});
