// The table of docs/reference/records.md, from the table in code.
import { wordFor } from '../../src/checkpoint/record.ts';
import { type Field, type RecordSpec, recordTable } from '../../src/checkpoint/record-table.ts';

const writers = {
  init: 'init',
  supervisor: 'supervisor',
  both: 'supervisor; init where there is none',
} as const;

export function renderRecords(): string {
  return Object.entries<RecordSpec>(recordTable)
    .map(([type, spec]) => renderType(type, spec))
    .join('\n');
}

function renderType(type: string, { writer, about, fields }: RecordSpec): string {
  const by = type === 'gap' ? 'each in its own file' : writers[writer];
  const rows = Object.entries<Field>(fields).map(
    ([name, field]) =>
      `| \`${name}\` | ${wordFor(field)}${field.optional ? '; may be absent' : ''} | ${field.about} |\n`,
  );
  return `### ${type}\n\nBy: ${by}. ${about[0]?.toUpperCase()}${about.slice(1)}.\n\n| field | value | |\n|---|---|---|\n${rows.join('')}`;
}
