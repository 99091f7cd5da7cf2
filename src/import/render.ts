/** A draft as the text of a config file, with a comment for each remark. Pure. */
import { escapeText } from '../report/escape.ts';
import { type Block, type Draft, isBlock, isList, type Plain, REMARK_WORDS, type Remark } from './draft.ts';

const WIDTH = 100;

/** `source`: as the user calls the file. */
export function renderDraft({ task, processes, remarks }: Draft, source: string): string {
  const names = new Set(processes.map(({ name }) => name));
  const own = (process: string) => remarks.filter((remark) => remark.process === process);
  const common = remarks.filter(({ process }) => process === null || !names.has(process));
  const lines = [`# Made from ${escapeText(source)} by gsup import.`];
  lines.push(
    ...common.map(
      (remark) =>
        `# ${remark.process === null ? '' : `${escapeText(remark.process)}: `}${remarkText(remark)}`,
    ),
  );
  lines.push(...renderBlock(task, ''), 'processes:');
  for (const { name, keys } of processes) {
    lines.push(`  ${scalarText(name)}:`);
    lines.push(...own(name).map((remark) => `    # ${remarkText(remark)}`));
    lines.push(...renderBlock(keys, '    '));
  }
  return `${lines.join('\n')}\n`;
}

/** With the line of the source, so that it is found there. */
function remarkText({ kind, what, why, line }: Remark): string {
  return escapeText(`${what}${line > 0 ? ` (line ${line})` : ''}${REMARK_WORDS[kind]}: ${why}`);
}

function renderBlock(block: Block, indent: string): string[] {
  return Object.entries(block).flatMap(([key, value]) =>
    value === undefined ? [] : renderEntry(scalarText(key), value, indent),
  );
}

function renderEntry(key: string, value: Plain, indent: string): string[] {
  if (isList(value)) return renderList(key, value, indent);
  if (isBlock(value)) {
    const flow = `${indent}${key}: ${flowText(value)}`;
    if (key !== 'environment' && isShallow(value) && flow.length <= WIDTH && indent !== '') return [flow];
    const inner = renderBlock(value, `${indent}  `);
    return inner.length === 0 ? [`${indent}${key}: {}`] : [`${indent}${key}:`, ...inner];
  }
  if (typeof value === 'string' && isMultiline(value)) {
    return [
      `${indent}${key}: |-`,
      ...value.split('\n').map((line) => (line === '' ? '' : `${indent}  ${line}`)),
    ];
  }
  return [`${indent}${key}:${value === null ? '' : ` ${scalarText(value)}`}`];
}

/** What fits into a line is easier to read in one. */
function isShallow(block: Block): boolean {
  return Object.values(block).every((value) => !isBlock(value));
}

function renderList(key: string, list: readonly Plain[], indent: string): string[] {
  const flow = `${indent}${key}: [${list.map(flowText).join(', ')}]`;
  if (flow.length <= WIDTH || list.some((item) => typeof item === 'object')) return [flow];
  return [`${indent}${key}:`, ...list.map((item) => `${indent}  - ${flowText(item)}`)];
}

function flowText(value: Plain): string {
  if (isList(value)) return `[${value.map(flowText).join(', ')}]`;
  if (!isBlock(value)) return value === null ? 'null' : scalarText(value);
  const pairs = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${pairs.map(([key, inner]) => `${scalarText(key)}: ${flowText(inner as Plain)}`).join(', ')}}`;
}

/** A block keeps what it says as it stands only if nothing in it is invisible. */
function isMultiline(text: string): boolean {
  const lines = text.split('\n');
  return (
    lines.length > 1 &&
    lines.every((line) => line !== '' && line === line.trim() && line === escapeText(line))
  );
}

/** Begins with nothing that means something, has no `, ` and no `: ` in it, and no brackets. */
const PLAIN =
  /^(?:--?(?=[A-Za-z]))?[A-Za-z0-9_./$](?:[A-Za-z0-9_./$=+@%~^()*<>;!?-]|:(?=[A-Za-z0-9_./$])| (?=[A-Za-z0-9_./$=+@%~-]))*$/;

/** What YAML reads as this text, plain where that is certain. */
function scalarText(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  if (PLAIN.test(value) && !/^(?:null|Null|NULL)$/.test(value)) return value;
  return [...JSON.stringify(value)].map(visible).join('');
}

/** What YAML does not take as it is, or nobody would see. */
function visible(letter: string): string {
  const code = letter.codePointAt(0) ?? 0;
  const isHidden = (code >= 0x7f && code < 0xa0) || [0x2028, 0x2029, 0xfeff].includes(code);
  return isHidden ? `\\u${code.toString(16).padStart(4, '0')}` : letter;
}
