/** A Procfile: `name: command`, one process a line, each command for a shell. */
import type { Place, Problem } from './problem.ts';
import { shown } from './problem.ts';
import { newMapping, type Places, placeKey, type Tree, type Value } from './tree.ts';
import type { Read } from './yaml.ts';

export function isProcfile(path: string): boolean {
  const name = path.split('/').at(-1) ?? '';
  return /^Procfile(?:\.|$)/.test(name) || /\.procfile$/i.test(name);
}

export function readProcfile(text: string, file: string): Read {
  const problems: Problem[] = [];
  const places = new Map<string, Places>();
  const root = { file, line: 1, column: 1 };
  places.set(placeKey([]), { key: root, value: root });
  places.set(placeKey(['processes']), { key: root, value: root });
  const processes = new Map<string, Value>();
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [at, raw] of lines.entries()) {
    const place: Place = { file, line: at + 1, column: raw.length - raw.trimStart().length + 1 };
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const entry = entryOf(line, place, processes);
    if ('message' in entry) {
      problems.push(entry);
      continue;
    }
    const value = { ...place, column: place.column + line.length - entry.command.length };
    processes.set(entry.name, newMapping([['command', entry.command]]));
    places.set(placeKey(['processes', entry.name]), { key: place, value: place });
    places.set(placeKey(['processes', entry.name, 'command']), { key: place, value });
  }
  return { tree: treeOf(processes, places), problems };
}

function treeOf(processes: ReadonlyMap<string, Value>, places: ReadonlyMap<string, Places>): Tree {
  return { value: newMapping([['processes', newMapping(processes)]]), places };
}

function entryOf(
  line: string,
  place: Place,
  seen: ReadonlyMap<string, Value>,
): { name: string; command: string } | Problem {
  const problem = (rule: string, got: string): Problem => ({
    ...place,
    path: '',
    message: `cannot read "${place.file}": ${rule}, got ${got}`,
    hint: '',
  });
  if (line.includes('\0')) return problem('a text is needed', 'a NUL byte');
  const [, name = '', command = ''] = /^([^\s:]+)\s*:\s*(\S.*)$/.exec(line) ?? [];
  if (name === '' || name === '__proto__')
    return problem('a line like "web: node server.js" is needed', shown(line));
  if (seen.has(name)) return problem('each name is written once', `${shown(name)} twice`);
  return { name, command };
}
