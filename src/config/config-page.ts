/** docs/reference/config.md, made of the table of keys. Pure. */
import {
  BACKOFF_KEYS,
  DEPENDENCY_KEYS,
  HEALTH_KEYS,
  type Key,
  LOGGING_KEYS,
  PROCESS_KEYS,
  READY_KEYS,
  RUNG_KEYS,
  STOP_KEYS,
  TASK_KEYS,
  type Table,
} from './keys.ts';
import { EDITOR } from './kinds.ts';

export const CONFIG_SECTIONS: ReadonlyArray<readonly [title: string, text: string, table: Table]> = [
  ['The task', 'Keys at the top level.', TASK_KEYS],
  ['A process', 'Keys below a name in `processes`.', PROCESS_KEYS],
  ['`depends_on`', 'A list means `ready`; as a mapping each process has:', DEPENDENCY_KEYS],
  ['`ready`', 'One of the ways, and `timeout`.', READY_KEYS],
  ['`healthcheck`', 'One of the ways, or `watchdog`, or both.', HEALTH_KEYS],
  ['`backoff`', 'Waits after failures.', BACKOFF_KEYS],
  ['`stop`', 'From the request to stop until the tree is empty. SIGKILL follows.', STOP_KEYS],
  [
    'A rung of `stop.ladder`',
    'One of `signal`, `exec`, `http_post`, or `wait` alone. A text as for `--rung` is taken too.',
    RUNG_KEYS,
  ],
  ['`logging`', 'What becomes of stdout and stderr.', LOGGING_KEYS],
];

export function configPageLines(): readonly string[] {
  return [
    ...INTRODUCTION,
    ...CONFIG_SECTIONS.flatMap(([title, text, table]) => sectionLines(title, text, table)),
  ];
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is how variables are written in a config
export const INTRODUCTION = [
  'YAML or JSON, or a Procfile (`name: command` on each line). `gsup check -f FILE` says what is wrong with one, all at',
  'once, and prints what would happen; `gsup schema` prints the JSON Schema for editors.',
  '',
  '- Unknown keys are errors; `x-...` keys are left alone everywhere. A scalar is the text that stands there: `022`,',
  '  `1.10` and `no` mean what they look like. Anchors, aliases and `<<` work.',
  '- Durations: `500ms`, `1.5s`, `8s`, `1m30s`, `2h`, `1d`, `0`; `forever` where something is waited for. Sizes: `100MB`,',
  '  `512m`, `2g`, by 1,024.',
  '- Variables in values: `${VAR}` and `$VAR`, `${VAR:-default}`, `${VAR-default}`, `${VAR:?message}`, `${VAR:+other}`,',
  '  from the environment of gsup, else from `.env` beside the file; `$$` is a dollar. One that is not set is empty, with',
  '  a warning. In a command for a shell only `${...}` of a variable that is set is replaced; the rest is left to the shell.',
  '- `env_file` and `include` are relative to the file that names them, `working_dir` and `logging.path` to gsup. Files',
  '  of variables are read as Compose reads them: quotes, `export` and comments.',
  '- A process in an included file and one of the same name in the file that includes it are an error; for other keys',
  '  the file that includes wins. Of several `-f` the later one wins, key by key; lists are replaced.',
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above

function sectionLines(title: string, text: string, table: Table): string[] {
  return [
    '',
    `## ${title}`,
    '',
    text,
    '',
    '| key | value | default | meaning |',
    '|---|---|---|---|',
    ...Object.entries(table).map(([name, key]) => row(name, key)),
  ];
}

/** What stands as its value. */
export function labelOf(key: Key): string {
  return EDITOR.get(key.kind)?.label ?? 'mapping';
}

function row(name: string, key: Key): string {
  return `| \`${name}\` | ${cell(labelOf(key))} | ${cell(defaultText(key))} | ${cell(key.help)} |`;
}

function defaultText(key: Key): string {
  if (key.required) return 'required';
  if (key.default !== undefined) return `\`${key.default}\`: ${key.reason}`;
  return key.otherwise ?? '';
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
