// docs/reference/library.md has every exported name, each member of its types and no other, each error code, and the examples as they are run.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outcomeCauses, outcomes, taskStates } from '../../src/checkpoint/record-table.ts';
import { defaultText } from '../../src/cli/help.ts';
import { isForRun, needOf, type OptionRow } from '../../src/cli/option-row.ts';
import { OPTION_ROWS } from '../../src/cli/options.ts';
import { type RunOptions, supervise } from '../../src/index.ts';
import { RUN_TABLE } from '../../src/supervisor/run-table.ts';
import { blocks, page, root, tableRows } from './pages.ts';

const path = 'docs/reference/library.md';
const text = page(path);

/** What stands below a heading of level three. */
function below(title: string): string {
  const part = text.split(/^##+ /m).find((each) => each.startsWith(`${title}\n`));
  if (part === undefined) throw new Error(`there is no heading "${title}"`);
  return part;
}

test('it has every name that is exported, and no type needs another that it has not', () => {
  const index = page('src/index.ts');
  const own = [...index.matchAll(/^export (?:async )?(?:function|interface|type) (\w+)/gm)].map(
    ([, name]) => name,
  );
  const passed = [...index.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) =>
    names.split(',').flatMap((name) => name.replace('type ', '').trim() || []),
  );
  expect(passed).toContain('Client');
  const headings = new Set([...text.matchAll(/^##+ (\w+)$/gm)].map(([, name]) => name));
  // Kinds of one type, told beside it.
  const beside = ['RecordBody', 'RecordOf', 'RecordType'];
  for (const name of [...own, ...passed].filter((each) => !beside.includes(each as string)))
    expect(headings, name).toContain(name);
  for (const name of beside) expect(below('CheckpointRecord')).toContain(`\`${name}`);
  for (const [, name] of text.matchAll(/`([A-Z]\w+(?:Status|Difference|Run|Event|Line|Options))`/g))
    expect(headings, name).toContain(name);
});

/** Where each type that has members stands. */
const TYPES = {
  'src/index.ts': ['Supervised', 'CheckpointLog'],
  'src/control/client.ts': ['ConnectOptions', 'Client', 'Done', 'Readiness', 'EventOptions'],
  'src/control/connection.ts': ['ControlError'],
  'src/control/event-reader.ts': ['TaskEvent'],
  'src/control/log-reader.ts': ['LogOptions', 'LogLine'],
  'src/report/status.ts': ['Status', 'TaskStatus', 'ProcessStatus', 'LastRun', 'StopStatus'],
  'src/supervisor/client-request.ts': ['ConfigDifference', 'ProcessDifference'],
};

/** `name` or `name?`, of an interface or a union of objects. Those of objects within are not looked at. */
function membersOf(file: string, type: string): string[] {
  const lines = page(file).split('\n');
  const at = lines.findIndex(
    (line) => line.startsWith(`export interface ${type} `) || line === `export type ${type} =`,
  );
  const isUnion = lines[at]?.endsWith('=');
  const end = lines.findIndex((line, each) => each > at && line === (isUnion ? '' : '}'));
  const found = lines.slice(at + 1, end).join('\n');
  const member = isUnion ? /(?:\{ |; |^ {6})readonly (\w+\??):/gm : /^ {2}(?:readonly )?(\w+\??)[:(]/gm;
  return [...new Set([...found.matchAll(member)].map(([, name]) => name as string))];
}

const CASES = Object.entries(TYPES).flatMap(([file, types]) => types.map((type) => [type, file] as const));

test.each(CASES)('the members of %s are those of %s', (type, file) => {
  const members = membersOf(file, type);
  expect(members.length, 'they can be read').toBeGreaterThan(0);
  const rows = tableRows(below(type)).filter(([head = '']) => !head.includes('-'));
  const told = rows.flatMap(([cell = '']) => /^`(\w+\??)/.exec(cell)?.[1] ?? []);
  const codes = type === 'ControlError' ? errorCodes() : [];
  expect(told.filter((name) => !codes.includes(name)).sort()).toEqual(members.sort());
});

test('it has each state and each cause', () => {
  for (const word of outcomeCauses) expect(below('LastRun')).toContain(`\`${word}\``);
  for (const word of outcomes) expect(below('LastRun')).toContain(`\`${word}\``);
  for (const word of taskStates) expect(below('TaskStatus')).toContain(`\`${word}\``);
  for (const word of Object.keys(RUN_TABLE)) expect(below('ProcessStatus')).toContain(`\`${word}\``);
});

test('methods have their parameters', () => {
  const source = page('src/control/client.ts');
  const client = source.slice(source.indexOf('export interface Client'));
  for (const [cell = ''] of tableRows(below('Client'))) {
    const [, name, told = ''] = /^`(\w+)\((.*)\)`$/.exec(cell) ?? [];
    if (name === undefined) continue;
    const [, list = ''] = new RegExp(`^  ${name}\\((.*)\\): `, 'm').exec(client) ?? [];
    const names = [...list.matchAll(/(?:^|, )(\w+\??):/g)].map(([, each]) => each);
    expect(told.split(', ').filter(Boolean), name).toEqual(names);
  }
});

function errorCodes(): string[] {
  const literals = (file: string, pattern: RegExp) =>
    [...page(file).matchAll(pattern)].map(([, code]) => code as string);
  return [
    ...literals('src/control/answer.ts', /^ {2}\| '([\w-]+)'/gm),
    ...literals('src/supervisor/client-request.ts', /readonly reason: '([\w-]+)'/g),
    ...(/readonly code: (.*);/.exec(page('src/control/connection.ts'))?.[1] ?? '')
      .split(' | ')
      .flatMap((each) => /^'(.*)'$/.exec(each)?.[1] ?? []),
  ];
}

test('it has each error code, and no other', () => {
  const rows = tableRows(below('ControlError')).map(([cell = '']) => cell.replaceAll('`', ''));
  expect(rows.filter((name) => name !== 'code' && name !== 'hint').sort()).toEqual(errorCodes().sort());
  expect(errorCodes()).toContain('no-such-process');
});

const camel = (long: string) => long.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
const LISTS = ['signals', 'texts', 'env', 'ulimits', 'exit-map', 'rewrites', 'rungs'];
const OPTIONS: readonly OptionRow[] = OPTION_ROWS.filter((row) => isForRun(row) && !row.action);

function optionRow(row: OptionRow): string {
  const need = needOf(row).replace(/,$/, '');
  const value = row.kind === 'flag' ? 'boolean' : LISTS.includes(row.kind) ? `list: ${need}` : need;
  const cells = [`\`${camel(row.long)}\``, value, defaultText(row), row.help];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

test('the table of options is that of the code (UPDATE_DOCS=1 writes it)', () => {
  const [begin, end] = [
    '<!-- generated from src/cli/options.ts: UPDATE_DOCS=1 npx vitest run test/docs -->\n',
    '<!-- end -->\n',
  ] as const;
  const table = ['| member | value | default | what it is |', '|---|---|---|---|', ...OPTIONS.map(optionRow)];
  const [before = '', rest = ''] = text.split(begin);
  const wanted = `${before}${begin}\n${table.join('\n')}\n\n${end}${rest.split(end)[1]}`;
  if (process.env.UPDATE_DOCS) writeFileSync(join(root, path), wanted);
  else expect(text).toBe(wanted);
});

/** A value of each that is told to be refused. */
const REFUSED: readonly RunOptions[] = [
  { log: 'prefix' },
  { parentDeathSignal: 'TERM' },
  { ulimit: ['nofile=64'] },
  { nice: 1 },
  { oomScoreAdj: 1 },
  { noNewPrivs: true },
  { http: '127.0.0.1:9100' },
  { user: 'nobody' },
  { groupId: 'nogroup' },
  { ready: 'notify' },
  { ready: 'fd:3' },
  { health: 'watchdog:3s' },
];

describe('what needs the native part', () => {
  const told = /^What needs the native part(.*?)\n\n/ms.exec(text)?.[1] ?? '';
  test.each(REFUSED.map((options) => [JSON.stringify(options), options] as const))(
    '%s is refused, and told',
    async (_, options) => {
      const stateDir = mkdtempSync(join(tmpdir(), 'gsup-library-'));
      try {
        const asked = supervise(['true'], { ...options, stateDir, logLevel: 'error' });
        await expect(asked).rejects.toMatchObject({ exitCode: 69 });
      } finally {
        rmSync(stateDir, { recursive: true });
      }
      for (const name of Object.keys(options)) expect(told).toContain(`\`${name}`);
    },
  );
  test('all that is told is tried', () => {
    const names = [...told.matchAll(/`([a-z]\w+)[:`]/g)].map(([, name]) => name);
    expect(new Set(names)).toEqual(new Set(REFUSED.flatMap((options) => Object.keys(options))));
  });
});

test('its examples are those of examples/library, which are run', () => {
  const folder = join(root, 'examples/library');
  const run = page('test/examples/library.test.ts');
  const files = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  for (const name of files) expect(run).toContain(name);
  expect(blocks(text, 'js').sort()).toEqual(files.map((name) => page(`examples/library/${name}`)).sort());
});
