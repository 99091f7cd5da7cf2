/** YAML and JSON (which is YAML) to a tree. Whatever the text is, the answer is a tree or problems, within bounds. */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { type Path, type Place, type Problem, pathText, shown } from './problem.ts';
import { newMapping, type Places, placeKey, type Tree, type Value } from './tree.ts';

/** Nobody writes so much by hand, and who generates it can generate several files. */
export const MAX_CONFIG_BYTES = 512 * 1024;

/** More is a mistake or an attack: ten aliases of ten aliases ... make 10^10 values of a few lines. */
const MAX_VALUES = 100_000;
const MAX_DEPTH = 32;

/** `tree` null: so broken that nothing of it can be judged. */
export interface Read {
  readonly tree: Tree | null;
  readonly problems: readonly Problem[];
}

interface Walk {
  readonly doc: Document;
  readonly file: string;
  readonly lines: LineCounter;
  readonly places: Map<string, Places>;
  readonly problems: Problem[];
  readonly anchors: ReadonlyMap<string, readonly Node[]>;
  values: number;
}

/** Ends the walk from inside; never leaves this file. */
class TooMuch {
  readonly node: Node;
  readonly limit: string;
  constructor(node: Node, limit: string) {
    this.node = node;
    this.limit = limit;
  }
}

export function readYaml(text: string, file: string): Read {
  const early = unreadable(text, file);
  if (early !== undefined) return { tree: null, problems: [early] };
  const lines = new LineCounter();
  const doc = parse(text.replace(/^\uFEFF/, ''), lines);
  if (doc === undefined) return { tree: null, problems: [tooDeep(file)] };
  const walk: Walk = {
    doc,
    file,
    lines,
    places: new Map(),
    problems: [],
    anchors: anchorsOf(doc),
    values: 0,
  };
  if (doc.errors.some(({ message }) => /call stack/.test(message)))
    return { tree: null, problems: [tooDeep(file)] };
  if (doc.errors.length > 0) return { tree: null, problems: syntaxProblems(walk) };
  const value = readRoot(walk);
  return { tree: value === undefined ? null : { value, places: walk.places }, problems: walk.problems };
}

/** By name, in the order of the text. The library looks through the whole document for each alias. */
function anchorsOf(doc: Document): Map<string, Node[]> {
  const anchors = new Map<string, Node[]>();
  visit(doc, {
    Node: (_, node) => {
      const name = isAlias(node) ? undefined : node.anchor;
      if (name === undefined) return;
      const list = anchors.get(name);
      if (list === undefined) anchors.set(name, [node]);
      else list.push(node);
    },
  });
  return anchors;
}

/** The last anchor of that name before the alias. */
function targetOf(walk: Walk, node: Node | null): Node | null {
  if (!isAlias(node)) return node;
  const at = node.range?.[0] ?? 0;
  return walk.anchors.get(node.source)?.findLast((anchor) => (anchor.range?.[0] ?? 0) < at) ?? null;
}

function unreadable(text: string, file: string): Problem | undefined {
  const nul = text.indexOf('\0');
  if (nul >= 0) {
    const before = text.slice(0, nul).split('\n');
    const place = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    return {
      ...place,
      path: '',
      message: `cannot read "${file}": a text is needed, got a NUL byte`,
      hint: '',
    };
  }
  if (Buffer.byteLength(text) <= MAX_CONFIG_BYTES) return undefined;
  return {
    ...{ file, line: 1, column: 1, path: '' },
    message: `cannot read "${file}": a config has at most ${MAX_CONFIG_BYTES} bytes, got ${Buffer.byteLength(text)}`,
    hint: 'use include for several files',
  };
}

/** Far more than anybody can mean, and less than what makes the parser slow, or ends its recursion. */
const DEEP = /(?:[-?][ \t]+){100}/;
const MAX_OPEN = 1000;

/** undefined: nested so deep that the parser's own recursion would end. */
function parse(text: string, lines: LineCounter): Document | undefined {
  if (DEEP.test(text) || mostOpen(text) > MAX_OPEN) return undefined;
  try {
    return parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      // The parser's own check compares each key with each other one.
      uniqueKeys: false,
      logLevel: 'error',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Brackets that are open at once, wherever they stand. */
function mostOpen(text: string): number {
  let open = 0;
  let most = 0;
  for (const character of text) {
    if (character === '[' || character === '{') most = Math.max(most, ++open);
    else if (character === ']' || character === '}') open = Math.max(0, open - 1);
  }
  return most;
}

function tooDeep(file: string): Problem {
  const message = `cannot read "${file}": values are nested ${MAX_DEPTH} deep at most`;
  return { file, line: 1, column: 1, path: '', message, hint: '' };
}

/** One mistake can make hundreds; people mend the first ones and look again. */
const MAX_SYNTAX_PROBLEMS = 10;

function syntaxProblems({ doc, file, lines }: Walk): Problem[] {
  return doc.errors.slice(0, MAX_SYNTAX_PROBLEMS).map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    const place = { file, line: Math.max(line, 1), column: Math.max(col, 1) };
    return { ...place, path: '', message: `cannot read "${file}": ${syntaxSentence(error)}`, hint: '' };
  });
}

function syntaxSentence({ code, message }: { code: string; message: string }): string {
  if (code === 'MULTIPLE_DOCS') return 'one document is needed, got several (---)';
  if (code === 'TAB_AS_INDENT') return 'spaces are needed at the beginning of a line, got a tab';
  const first = message.split('\n', 1)[0] ?? '';
  return first.slice(0, 200).replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
}

/** undefined: it goes beyond a limit. */
function readRoot(walk: Walk): Value | undefined {
  const root = { file: walk.file, line: 1, column: 1 };
  walk.places.set(placeKey([]), { key: root, value: root });
  try {
    return readNode(walk, walk.doc.contents as Node | null, []);
  } catch (stop) {
    const isRange = stop instanceof RangeError;
    if (!(stop instanceof TooMuch) && !isRange) throw stop;
    const at = stop instanceof TooMuch ? placeOf(walk, stop.node) : root;
    const limit = stop instanceof TooMuch ? stop.limit : `values are nested ${MAX_DEPTH} deep at most`;
    const hint = 'an alias may refer to itself, or to others that refer to others';
    walk.problems.push({ ...at, path: '', message: `cannot read "${walk.file}": ${limit}`, hint });
    return undefined;
  }
}

function placeOf(walk: Walk, node: Node | null | undefined): Place {
  const { line, col } = walk.lines.linePos(node?.range?.[0] ?? 0);
  return { file: walk.file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

function readNode(walk: Walk, node: Node | null, path: Path): Value {
  if (node === null) return null;
  walk.values++;
  if (walk.values > MAX_VALUES) throw new TooMuch(node, `a config has at most ${MAX_VALUES} values`);
  if (path.length > MAX_DEPTH) throw new TooMuch(node, `values are nested ${MAX_DEPTH} deep at most`);
  if (isAlias(node)) return readAlias(walk, node, path);
  refuseTag(walk, node, path);
  if (isMap(node)) return readMap(walk, node.items, path);
  if (isSeq(node)) return node.items.map((item, at) => readItem(walk, item as Node | null, [...path, at]));
  return isScalar(node) ? readScalar(walk, node, path) : null;
}

const CORE_TAG = /^(?:!|tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq))$/;

/** Values are read by their keys, so those of YAML itself change nothing; others mean something to somebody else. */
function refuseTag(walk: Walk, node: Node, path: Path): void {
  const { tag } = node;
  if (tag === undefined || CORE_TAG.test(tag)) return;
  refuse(walk, node, path, 'a value without a tag is needed', tag.replace('tag:yaml.org,2002:', '!!'));
}

function readAlias(walk: Walk, node: Node, path: Path): Value {
  const target = targetOf(walk, node);
  // Counted as deep as it goes: one that refers to itself comes to an end.
  if (target !== null) return readNode(walk, target, path);
  refuse(
    walk,
    node,
    path,
    'an anchor that stands before it is needed',
    isAlias(node) ? `*${node.source}` : '',
  );
  return null;
}

function readItem(walk: Walk, node: Node | null, path: Path): Value {
  const place = placeOf(walk, node);
  walk.places.set(placeKey(path), { key: place, value: place });
  return readNode(walk, node, path);
}

interface Entry {
  readonly key: string;
  readonly keyNode: Node;
  readonly node: Node | null;
}

function readMap(walk: Walk, items: readonly unknown[], path: Path): Value {
  const entries = entriesOf(walk, items, path, 0);
  const own = new Map(entries.map((entry) => [entry.key, entry]));
  return newMapping(
    [...own.values()]
      // What begins with x- belongs to somebody else; its anchors are used all the same.
      .filter(({ key }) => !key.startsWith('x-') || keepsExtensions(path))
      .map(({ key, keyNode, node }) => {
        const inner = [...path, key];
        const value = node === null ? placeOf(walk, keyNode) : placeOf(walk, node);
        walk.places.set(placeKey(inner), { key: placeOf(walk, keyNode), value });
        return [key, readNode(walk, node, inner)] as const;
      }),
  );
}

/** Keys that are the user's own words; `services` is Compose's, for `gsup import`. */
function keepsExtensions(path: Path): boolean {
  return path.at(-1) === 'environment' || (path.length === 1 && path[0] === 'services');
}

/** What is merged in comes first, so that what the mapping says itself wins. */
function entriesOf(walk: Walk, items: readonly unknown[], path: Path, depth: number): Entry[] {
  const merged: Entry[] = [];
  const own = new Map<string, Entry>();
  for (const pair of items) {
    if (!isPair(pair)) continue;
    const keyNode = pair.key as Node;
    const node = pair.value as Node | null;
    if (isMergeKey(keyNode)) merged.push(...mergedEntries(walk, node, path, depth));
    else {
      const key = keyText(walk, keyNode, path);
      if (key === undefined) continue;
      const first = own.get(key);
      if (first === undefined) own.set(key, { key, keyNode, node });
      else
        refuse(
          walk,
          keyNode,
          [...path, key],
          'each key is written once',
          `it in line ${placeOf(walk, first.keyNode).line} too`,
        );
    }
  }
  return [...merged, ...own.values()];
}

function isMergeKey(node: Node): boolean {
  return isScalar(node) && node.value === '<<' && node.type === 'PLAIN';
}

/** Of several the first wins. */
function mergedEntries(walk: Walk, node: Node | null, path: Path, depth: number): Entry[] {
  const target = targetOf(walk, node);
  if (depth > MAX_DEPTH) throw new TooMuch(node as Node, `values are nested ${MAX_DEPTH} deep at most`);
  if (isMap(target)) return entriesOf(walk, target.items, path, depth + 1);
  if (isSeq(target)) {
    return [...target.items].reverse().flatMap((item) => mergedEntries(walk, item as Node, path, depth + 1));
  }
  refuse(
    walk,
    node,
    [...path, '<<'],
    'a mapping, or a list of them, is needed',
    isScalar(target) ? shown(target.value) : 'nothing',
  );
  return [];
}

function keyText(walk: Walk, node: Node | null, path: Path): string | undefined {
  const target = targetOf(walk, node);
  const text = isScalar(target) ? scalarText(target) : undefined;
  if (typeof text === 'string' && text !== '__proto__' && !text.includes('\0')) return text;
  const got = text === undefined || text === null ? 'another value' : shown(text);
  refuse(walk, node, path, 'a text is needed as a key', got);
  return undefined;
}

function readScalar(walk: Walk, node: Node, path: Path): Value {
  const text = scalarText(node);
  if (text?.includes('\0')) {
    refuse(walk, node, path, 'a text is needed', 'a NUL byte');
    return null;
  }
  return text;
}

/** Plain ones as they are written; quoted ones and blocks as they mean. */
function scalarText(node: Node): string | null {
  if (!isScalar(node) || node.value === null) return null;
  if (typeof node.value === 'string') return node.value;
  return node.source ?? String(node.value);
}

function refuse(walk: Walk, node: Node | null, path: Path, need: string, got: string): void {
  const what = pathText(path) || walk.file;
  const message = `cannot use "${what}": ${need}, got ${got.slice(0, 80)}`;
  walk.problems.push({ ...placeOf(walk, node), path: pathText(path), message, hint: '' });
}

export function emptyTree(file: string): Tree {
  const place = { file, line: 1, column: 1 };
  return { value: newMapping([]), places: new Map([[placeKey([]), { key: place, value: place }]]) };
}
