// README says what is: its tables are those of the code, and its commands are run.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CLIENT_ROWS } from '../../src/cli/client-rows.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { environmentName, isForRun, type OptionRow } from '../../src/cli/option-row.ts';
import { OPTION_ROWS } from '../../src/cli/options.ts';
import { formatDuration } from '../../src/config/duration.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { PORTABLE_LOSSES } from '../../src/host/portable-launch.ts';
import { COMMAND_EXIT_CODES, OWN_EXIT_CODES } from '../../src/signals/exit-codes.ts';
import { withExample } from '../examples/example.ts';
import { blocks, page, root, section, tableRows } from './pages.ts';

const readme = page('README.md');
const names = OPTION_ROWS.map((row) => row.long);
const commands = COMMANDS.map((row) => row.name);
const later = section(readme, 'Not in this version');

/** The headings of a page as a link names them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

function defaultOf(row: OptionRow): string {
  if (typeof row.default !== 'number') return '';
  if (row.kind === 'choice') return row.choices?.[row.default] ?? '';
  return row.kind === 'duration' ? formatDuration(row.default) : String(row.default);
}

describe('tables', () => {
  const rows = tableRows(section(readme, 'Options'));

  test.each(rows)('%s', (option, standard, meaning) => {
    const row = OPTION_ROWS.find(({ long }) => option?.match(/--([a-z-]+)/)?.[1] === long) as OptionRow;
    expect(row, 'no such option').toBeDefined();
    expect(option?.match(/`-(\w),/)?.[1]).toBe(row.short);
    if (row.kind === 'choice') expect(option).toContain((row.choices ?? []).join('|'));
    expect(standard).toBe(defaultOf(row));
    expect(meaning).toBe(row.help);
  });

  test('commands for a running task are those of the code', () => {
    const written = CLIENT_ROWS.map(({ usage, summary }) => [`\`gsup ${usage}\``, summary]);
    for (const row of tableRows(section(readme, 'A running task'))) expect(written).toContainEqual(row);
  });

  test('exit codes are those of the code, all of them', () => {
    const wanted = [...COMMAND_EXIT_CODES, ...OWN_EXIT_CODES].map(({ code, meaning }) => [code, meaning]);
    expect(tableRows(section(readme, 'Exit codes'))).toEqual(wanted);
  });
});

describe('words', () => {
  const present = readme.replace(later, '');

  test('every option and variable is one of gsup', () => {
    const own = COMMANDS.flatMap(({ options = [] }) => options.map(({ long }) => long));
    for (const [, name] of present.matchAll(/(?<![\w-])--([a-z][a-z-]+)/g))
      expect([...names, ...own]).toContain(name);
    const variables = OPTION_ROWS.map((row) => environmentName(row.long));
    for (const [name] of present.matchAll(/GSUP_[A-Z_]+/g)) expect(variables).toContain(name);
  });

  test('every command is one of gsup', () => {
    const found = [...present.matchAll(/(?:`|^\$ )gsup ([a-z-]+)/gm)].map(([, name]) => name);
    expect(found).toContain('checkpoint');
    for (const name of found) expect(commands).toContain(name);
  });

  test('what is said not to be there is not there', () => {
    const exceptions = ['run', 'up', 'checkpoint dump'];
    const said = [...later.matchAll(/`(?:gsup )?([^`]+)`/g)].map(([, words = '']) => words);
    for (const words of said.filter((words) => !exceptions.includes(words)))
      expect([...commands, ...names.map((name) => `--${name}`)]).not.toContain(words);
  });

  test('what brings the supervisor is named, and nothing else', () => {
    const paragraph = section(readme, 'Options').match(/brings the supervisor.*?`--rung`\./s)?.[0] ?? '';
    const named = [...paragraph.matchAll(/`--([a-z-]+)`/g)].map(([, name]) => name).sort();
    const wanted = OPTION_ROWS.filter((row) => !row.plain && isForRun(row)).map((row) => row.long);
    expect(named).toEqual([...wanted].sort());
  });

  test('what the portable host loses is said', () => {
    const limits = section(readme, 'Limits').replace(/\s+/g, ' ');
    for (const loss of PORTABLE_LOSSES) expect(limits).toContain(loss);
  });

  test('the library has what the example imports', async () => {
    const [example = ''] = blocks(section(readme, 'As a library'), 'ts');
    const imported = example.match(/import \{ (.*) \} from 'gsup'/)?.[1]?.split(', ');
    expect(Object.keys(await import('../../src/index.ts'))).toEqual(expect.arrayContaining(imported ?? ['']));
  });

  test('the config is one, without a warning', () => {
    const [config = ''] = blocks(section(readme, 'Several processes'), 'yaml');
    const around = { env: {}, cwd: '/', only: [], readStdin: () => config };
    expect(
      loadConfig({
        ...around,
        files: ['-'],
        readFile: () => {
          throw Object.assign(new Error('it names no file'), { code: 'ENOENT' });
        },
      }),
    ).toMatchObject({ kind: 'config', warnings: [] });
  });

  test('every link leads to a file, and to a heading of it', () => {
    const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`);
    for (const path of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs])
      for (const [, target = '', heading] of page(path).matchAll(/\]\(([^)#:]+)(?:#([^)]+))?\)/g)) {
        const file = join(dirname(path), target);
        expect(existsSync(join(root, file)), `${path}: ${target}`).toBe(true);
        if (heading !== undefined) expect(anchors(page(file)), `${path}: ${target}`).toContain(heading);
      }
  });
});

describe('commands', () => {
  const [main = '', tests = ''] = blocks(section(readme, 'Try it'), 'sh').map((block) => block.trim());

  test('the one for the main job runs a server that ends with 0', async () => {
    const words = main.match(/^npm ci && npx gsup run (.*)$/)?.[1]?.split(' ');
    await withExample(words ?? [], async (server) => {
      await server.stdout.line(/^listening/);
      server.signal('SIGTERM');
      expect(await server.ended()).toBe(0);
    });
  });

  test('the one for the tests is the script of package.json', () => {
    expect(tests).toBe('npm ci && npm test');
    expect(JSON.parse(page('package.json')).scripts.test).toContain('scripts/test.sh');
  });

  test('the output of check is what check prints', () => {
    const [shown = ''] = blocks(section(readme, 'In a container'), 'console');
    const [command = '', ...output] = shown.split('\n');
    const argv = command.replace('$ gsup ', '').split(' ');
    const { stdout } = spawnSync(join(root, 'bin/gsup'), argv, { encoding: 'utf8' });
    expect(output.join('\n')).toBe(stdout);
  });

  test('the Dockerfile lines are those of Dockerfile.example', () => {
    const [lines = ''] = blocks(section(readme, 'In a container'), 'dockerfile');
    const example = page('Dockerfile.example');
    for (const line of lines.trim().split('\n').slice(0, -1)) expect(example).toContain(`${line}\n`);
  });
});
