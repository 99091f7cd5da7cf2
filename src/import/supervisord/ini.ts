/** The file format of supervisord, which is that of Python's RawConfigParser, to sections with places. Pure. */
import type { Place } from '../../config/problem.ts';
import type { Notes } from '../draft.ts';

export interface Value {
  readonly text: string;
  readonly place: Place;
}

export interface Section {
  readonly name: string;
  readonly place: Place;
  /** By key in lower case. */
  readonly values: Map<string, Value>;
}

/** Sections of one file, or of several: one that comes again adds to itself, and what comes later wins. */
export type Sections = Map<string, Section>;

interface Reading {
  readonly sections: Sections;
  readonly notes: Notes;
  section: Section | undefined;
  key: string | undefined;
  /** Where the line of the key begins: what is further in continues it. */
  indent: number;
}

export function readIni(text: string, file: string, sections: Sections, notes: Notes): void {
  const reading: Reading = { sections, notes, section: undefined, key: undefined, indent: 0 };
  for (const [at, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const column = raw.length - raw.trimStart().length + 1;
    const line = withoutComment(raw).trim();
    if (line.includes('\0')) {
      notes.refuse({ file, line: at + 1, column }, 'a text is needed, got a NUL byte');
      return;
    }
    if (line !== '') readLine(reading, line, { file, line: at + 1, column });
  }
}

/** `;` and `#` begin a comment at the begin of a line, and after white space. */
function withoutComment(line: string): string {
  const found = /(?:^|\s)[;#]/.exec(line);
  return found === null ? line : line.slice(0, found.index);
}

function readLine(reading: Reading, line: string, place: Place): void {
  const { section, key } = reading;
  const value = key === undefined ? undefined : section?.values.get(key);
  if (section !== undefined && key !== undefined && value !== undefined && place.column > reading.indent) {
    section.values.set(key, { ...value, text: `${value.text}\n${line}`.trim() });
    return;
  }
  reading.indent = place.column;
  const header = /^\[(.+)\]/.exec(line)?.[1];
  if (header !== undefined) {
    reading.section = sectionOf(reading, header, place);
    reading.key = undefined;
    return;
  }
  const [, name = '', text = ''] = /^([^=:]*?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
  if (name === '') reading.notes.refuse(place, `a line like "key=value" is needed, got ${quoted(line)}`);
  else if (section === undefined) reading.notes.refuse(place, `a section is needed before ${quoted(name)}`);
  else {
    reading.key = name.toLowerCase();
    section.values.set(reading.key, { text, place });
  }
}

function sectionOf({ sections }: Reading, name: string, place: Place): Section {
  const known = sections.get(name);
  if (known !== undefined) return known;
  const section = { name, place, values: new Map<string, Value>() };
  sections.set(name, section);
  return section;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
