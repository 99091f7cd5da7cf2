/** What converters ask of the world, answered by the disk, within bounds. */
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { readRegularFile } from '../cli/config-sources.ts';
import { causeOf } from '../config/config-files.ts';
import type { FoundFile, Listed } from './around.ts';

/** More lies in no folder of services, and in no conf.d. */
export const MAX_LISTED = 1000;

export const disk = { readFile: readRegularFile, causeOf, list: listFolder };

export function listFolder(path: string): Listed[] {
  const names = readdirSync(path).sort();
  if (names.length > MAX_LISTED) throw new Error(`more than ${MAX_LISTED} files in ${path}`);
  return names.map((name) => {
    // What a link leads to is what counts; one that leads nowhere is something else.
    const stat = statSync(join(path, name), { throwIfNoEntry: false }) ?? lstatSync(join(path, name));
    const kind = stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other';
    return { name, kind, executable: kind === 'file' && (stat.mode & 0o111) !== 0 };
  });
}

/** `*`, `?` and `[...]`, in any part of the path; as Python's glob, which supervisord uses, hidden files only by name. */
export function globFiles(pattern: string, folder: string, shownIn: string): FoundFile[] {
  const whole = isAbsolute(pattern) ? pattern : join(folder, pattern);
  let found = ['/'];
  for (const part of whole.split('/').filter((one) => one !== ''))
    found = found.flatMap((path) => matches(path, part)).slice(0, MAX_LISTED);
  const show = (path: string) => (isAbsolute(pattern) ? path : join(shownIn, relative(folder, path)));
  return found.filter((path) => path !== '/').map((path) => ({ path, shown: show(path) }));
}

function matches(path: string, part: string): string[] {
  const next = join(path, part);
  if (part === '..' || !/[*?[]/.test(part))
    return statSync(next, { throwIfNoEntry: false }) === undefined ? [] : [next];
  const pattern = patternOf(part);
  try {
    return listFolder(path)
      .filter(({ name }) => pattern.test(name))
      .map(({ name }) => join(path, name));
  } catch {
    return [];
  }
}

function patternOf(part: string): RegExp {
  const body = part.replace(
    /\[(!?)([^\]]*)\]|[*?]|[\\^$.|+(){}[\]/]/g,
    (found, not?: string, inside?: string) => {
      if (inside !== undefined && inside !== '')
        return `[${not === '!' ? '^' : ''}${inside.replace(/[\\\]^[]/g, '\\$&')}]`;
      return found === '*' ? '[^/]*' : found === '?' ? '[^/]' : `\\${found}`;
    },
  );
  return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${body}$`);
}
