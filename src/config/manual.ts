/** The manual gsup.yaml(5), made of the table of keys. Pure. */
import { MANUAL_DATE } from '../cli/manual.ts';
import { bold, example, fromMarkdown, heading, inline, item, plain, section } from '../cli/troff.ts';
import { CONFIG_SECTIONS, INTRODUCTION, labelOf } from './config-page.ts';
import type { Key } from './keys.ts';

export function configManual(version: string): string {
  const lines = [
    ...heading('gsup.yaml', 5, MANUAL_DATE, version),
    ...section('NAME', ['gsup.yaml \\- the processes of a task of gsup']),
    ...section('DESCRIPTION', fromMarkdown(INTRODUCTION)),
    ...CONFIG_SECTIONS.flatMap(([title, text, table]) =>
      section(title.replaceAll('`', '').toUpperCase(), [
        inline(text),
        ...Object.entries(table).flatMap(([name, key]) => keyItem(name, key)),
      ]),
    ),
    ...section('EXAMPLES', [
      'A database, a server that needs it, and room for both to stop in:',
      ...example(EXAMPLE),
    ]),
    ...section('SEE ALSO', ['.BR gsup (1)']),
  ];
  return `${lines.join('\n')}\n`;
}

export const EXAMPLE = `name: shop
stop_budget: 25s
processes:
  db:
    command: [postgres, -D, /data]
    stop: {signal: SIGINT, grace: 15s}
    ready: {tcp: 5432, timeout: 30s}
  web:
    command: [node, server.js]
    depends_on: [db]
    restart: on-failure
`;

function keyItem(name: string, key: Key): string[] {
  return item(`${bold(name)}: ${plain(labelOf(key).replaceAll('`', ''))}`, inline(sentence(key)));
}

function sentence(key: Key): string {
  if (key.required) return `${key.help} (required)`;
  if (key.default !== undefined) return `${key.help} (default: \`${key.default}\`: ${key.reason})`;
  return key.otherwise === undefined ? key.help : `${key.help} (default: ${key.otherwise})`;
}
