/** How a script of s6 is run without s6: by its first line. Pure. */
import { splitWords } from '../words.ts';

export interface Run {
  /** With the script as its last word. */
  readonly argv: readonly string[];
  /** Programs that come with s6, execline or s6-overlay, and that must be in the image. */
  readonly needs: readonly string[];
}

/** `path`: of the script, as it is to be called. */
export function runOf(text: string, executable: boolean, path: string): Run {
  const words = splitWords(/^#!\s*(.*)/.exec(text)?.[1]?.trim() ?? '') ?? [];
  const [program = '', ...rest] = words;
  // What it does is done already: gsup passes its environment on.
  if (baseName(program) === 'with-contenv') return { argv: [...rest, path], needs: needsOf(text) };
  if (executable) return { argv: [path], needs: needsOf(text) };
  return { argv: program === '' ? ['/bin/sh', path] : [...words, path], needs: needsOf(text) };
}

const OURS =
  /(?<![\w./-])(?:\/(?:usr\/bin|command|bin)\/)?(execlineb|s6-[a-z0-9-]+|with-contenv|logutil-[a-z]+|fdmove|foreground|multisubstitute|importas|redirfd)(?![\w-])/g;

function needsOf(text: string): string[] {
  const body = text.replace(/^#!.*with-contenv.*/, '').replace(/^\s*#(?!!).*/gm, '');
  return [...new Set([...body.matchAll(OURS)].map(([, name]) => name ?? ''))];
}

/** The container is to end with this service. */
export function endsContainer(finish: string): boolean {
  const body = finish.replace(/^\s*#.*/gm, '');
  return /\bs6-svscanctl\s+-\w*[tqpnb]|\/run\/s6\/basedir\/bin\/halt|\bs6-linux-init-(?:shutdown|hpr)\b|\bkill\s+(?:-\w+\s+)*1\b/.test(
    body,
  );
}

/** An `up` of s6-rc is one command line of execline; undefined: more than words. */
export function wordsOfUp(text: string): readonly string[] | undefined {
  const line = text.replace(/^\s*#.*/gm, '').trim();
  if (line === '' || /[{}\n$]/.test(line)) return undefined;
  const words = splitWords(line);
  return words !== undefined && baseName(words[0] ?? '') === 'with-contenv' ? words.slice(1) : words;
}

export function baseName(path: string): string {
  return path.split('/').at(-1) ?? '';
}
