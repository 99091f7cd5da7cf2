/** The text of src/init/options.gen.h: everything that init's own parser must know exactly as this one does. */
import { DURATION_UNITS, MAX_DURATION_MS } from '../config/duration.ts';
import { DRAIN_MS, LOG_MAX_BYTES, LOG_MAX_FILES } from '../logs/limits.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { RTMAX, RTMIN, SIGNAL_ALIASES, SIGNALS, signalNumber } from '../signals/names.ts';
import { HINT_DIGITS, HINTS, NEAR_BYTES, QUOTE_BYTES, TEMPLATES } from './messages.ts';
import { environmentName, isForRun, isForUp, needOf, type OptionKind, type OptionRow } from './option-row.ts';
import { MAX_RUNGS, OPTION_ROWS, ULIMITS } from './options.ts';

export function generateHeader(version: string): string {
  const kinds = [...new Set(OPTION_ROWS.map((row) => row.kind))];
  const parts = [
    '/* Generated from src/cli/options.ts by `npm run generate`: do not edit. */',
    '#ifndef GSUP_OPTIONS_GEN_H\n#define GSUP_OPTIONS_GEN_H',
    '#include <stddef.h>\n#include <sys/resource.h>',
    define('GSUP_VERSION', c(version)),
    enumeration('option_kind', kinds.map(kindName)),
    enumeration(
      'option_flag',
      FLAGS.map(([name], at) => `${name} = ${1 << at}`),
    ),
    xMacro('OPTION_TABLE', '(id, long, short, variable, kind, flags, min, max, choices, need)', rows()),
    'enum option_id {\n#define OPTION_ID(id, ...) OPT_##id,\n  OPTION_TABLE(OPTION_ID)\n#undef OPTION_ID\n  OPT_COUNT\n};',
    `/* In ms. */\n${defaults().join('\n')}`,
    choices().join('\n'),
    xMacro('SIGNAL_TABLE', '(name, number)', signalRows(SIGNALS)),
    xMacro('SIGNAL_ALIASES', '(name, number)', signalRows(SIGNAL_ALIASES)),
    [define('SIGNAL_RTMIN', RTMIN), define('SIGNAL_RTMAX', RTMAX)].join('\n'),
    xMacro(
      'ULIMIT_TABLE',
      '(name, resource)',
      ULIMITS.map((name) => `X(${c(name)}, RLIMIT_${name.toUpperCase()})`),
    ),
    xMacro(
      'DURATION_UNITS',
      '(unit, ms), from large to small',
      DURATION_UNITS.map(([unit, ms]) => `X(${c(unit)}, ${ms}LL)`),
    ),
    bounds().join('\n'),
    Object.entries(EXIT)
      .filter(([name]) => name !== 'success')
      .map(([name, code]) => define(`EXIT_${constant(name)}`, code))
      .join('\n'),
    `/* printf templates; what comes from outside is quoted first. */\n${texts('ERROR', TEMPLATES)}`,
    texts('HINT', HINTS),
    '#endif',
  ];
  return `${parts.join('\n\n')}\n`;
}

const FLAGS: ReadonlyArray<readonly [name: string, has: (row: OptionRow) => boolean]> = [
  ['F_PLAIN', (row) => row.plain],
  ['F_COMMON', (row) => row.common === true],
  ['F_ACTION', (row) => row.action === true],
  ['F_FOREVER', (row) => row.forever === true],
  ['F_POSITIVE', (row) => row.positive === true],
  ['F_RUN', isForRun],
  ['F_UP', isForUp],
];

function rows(): string[] {
  return OPTION_ROWS.map((row) => {
    const cells = [
      constant(row.long),
      c(row.long),
      row.short === undefined ? '0' : `'${row.short}'`,
      row.action ? 'NULL' : c(environmentName(row.long)),
      kindName(row.kind),
      FLAGS.flatMap(([name, has]) => (has(row) ? [name] : [])).join(' | ') || '0',
      row.range?.[0] ?? 0,
      row.range?.[1] ?? 0,
      row.choices === undefined ? 'NULL' : row.choices.map((choice) => `${c(choice)} "\\0"`).join(' '),
      c(needOf(row)),
    ];
    return `X(${cells.join(', ')})`;
  });
}

function defaults(): string[] {
  return OPTION_ROWS.flatMap((row) => {
    if (row.kind === 'duration' && row.default !== undefined) {
      return [`${define(`DEFAULT_${constant(row.long)}`, `${row.default}LL`)} /* ${row.reason} */`];
    }
    if (row.kind !== 'signals' || !Array.isArray(row.default)) return [];
    const bits = row.default.map((name: string) => `1ULL << ${(signalNumber(name) ?? 1) - 1}`);
    return [
      `${define(`DEFAULT_${constant(row.long)}`, `(${bits.join(' | ')})`)} /* bit n - 1 for signal n */`,
    ];
  });
}

/** The place of each choice in its list; -1: not made, and no default. Those of `target` are in protocol.h. */
function choices(): string[] {
  return OPTION_ROWS.flatMap((row) => {
    if (row.choices === undefined) return [];
    const name = constant(row.long);
    const places = row.choices.map((choice, at) => `${name}_${constant(choice)} = ${at}`);
    const fallback = define(`DEFAULT_${name}`, typeof row.default === 'number' ? row.default : -1);
    return row.long === 'target'
      ? [fallback]
      : [enumeration(row.long.replaceAll('-', '_'), places), fallback];
  });
}

function bounds(): string[] {
  return [
    define('DURATION_MAX_MS', `${MAX_DURATION_MS}LL`),
    define('DURATION_FOREVER', '-1LL'),
    define('MAX_RUNGS', MAX_RUNGS),
    define('DRAIN_MS', `${DRAIN_MS}ull`),
    define('LOG_MAX_BYTES', `${LOG_MAX_BYTES}ull`),
    define('LOG_MAX_FILES', LOG_MAX_FILES),
    define('QUOTE_BYTES', QUOTE_BYTES),
    define('HINT_DIGITS', HINT_DIGITS),
    define('NEAR_BYTES', NEAR_BYTES),
  ];
}

function signalRows(signals: typeof SIGNALS): string[] {
  return signals.map(([name, number]) => `X(${c(name)}, ${number})`);
}

function texts(prefix: string, table: Readonly<Record<string, string>>): string {
  return Object.entries(table)
    .map(([name, text]) => define(`${prefix}_${constant(name)}`, c(text)))
    .join('\n');
}

function define(name: string, value: string | number): string {
  return `#define ${name} ${value}`;
}

function enumeration(name: string, members: readonly string[]): string {
  return `enum ${name} { ${members.join(', ')} };`;
}

function xMacro(name: string, columns: string, entries: readonly string[]): string {
  return `/* X${columns} */\n#define ${name}(X) \\\n${entries.map((entry) => `  ${entry}`).join(' \\\n')}`;
}

function kindName(kind: OptionKind): string {
  return `K_${constant(kind)}`;
}

/** `notFound`, `min-duration` → `NOT_FOUND`, `MIN_DURATION`. */
function constant(name: string): string {
  return name
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll('-', '_')
    .toUpperCase();
}

/** A C string literal. */
function c(text: string): string {
  return `"${text.replace(/[\\"]/g, (char) => `\\${char}`)}"`;
}
