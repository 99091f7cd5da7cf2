/** What a service runs: its own words, those of its Dockerfile, or those of a known image. Pure, but for the Dockerfile. */
import { join } from 'node:path';
import { isMapping, type Value } from '../../config/tree.ts';
import type { Around } from '../around.ts';
import { type Dockerfile, readDockerfile } from '../dockerfile.ts';
import type { Plain } from '../draft.ts';
import { literal, splitWords } from '../words.ts';
import { commandOfImage } from './images.ts';
import { remark, type Service, take, textsOf } from './service.ts';

export interface Command {
  /** undefined: nobody knows it, and the service is left out. */
  readonly argv: Plain | undefined;
  /** What the image says, where the file says nothing. */
  readonly stopSignal: string | undefined;
  readonly workingDir: string | undefined;
  readonly user: string | undefined;
}

/** A list of words, or the text of a shell; dollars are escaped where they came from a Dockerfile. */
interface Part {
  readonly words?: readonly string[];
  readonly shell?: string;
}

export function commandOf(service: Service, around: Around): Command {
  const entrypoint = partOf(service, 'entrypoint');
  const command = partOf(service, 'command');
  const image =
    entrypoint !== undefined && (command !== undefined || entrypoint.words?.length !== 0)
      ? undefined
      : imageOf(service, around);
  const from = image ?? {};
  const argv = joined(
    entrypoint ?? from.entrypoint,
    command ?? (entrypoint === undefined ? from.cmd : undefined),
  );
  if (argv === undefined)
    remark(
      service,
      'lost',
      ['command'],
      'the file does not say what the image runs, so the whole service is left out',
    );
  else if (image?.about !== undefined && command === undefined)
    remark(service, 'hint', ['command'], image.about);
  else if (entrypoint === undefined && image === undefined)
    remark(
      service,
      'changed',
      ['command'],
      'an ENTRYPOINT of its image would stand before it; nobody can tell here',
    );
  return { argv, stopSignal: from.stopSignal, workingDir: from.workingDir, user: from.user };
}

function joined(entrypoint: Part | undefined, command: Part | undefined): Plain | undefined {
  // As Docker does: an entrypoint for a shell takes no arguments.
  if (entrypoint?.shell !== undefined) return entrypoint.shell;
  const before = entrypoint?.words ?? [];
  if (command?.shell !== undefined)
    return before.length === 0 ? command.shell : [...before, '/bin/sh', '-c', command.shell];
  const words = [...before, ...(command?.words ?? [])];
  return words.length === 0 || words[0] === '' ? undefined : words;
}

/** Both keys: a text is split into words, as Compose does, and no shell reads it. undefined: the image says it. */
function partOf(service: Service, key: 'command' | 'entrypoint'): Part | undefined {
  const value = take(service, key);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') {
    const words = textsOf(value);
    if (words === undefined) remark(service, 'lost', [key], 'a text, or a list of texts, is needed');
    return words === undefined ? undefined : { words };
  }
  const words = splitWords(value);
  if (words === undefined) remark(service, 'lost', [key], 'a closing quote is needed');
  if (/\$(?:\{|[A-Za-z_])/.test(value.replaceAll('$$', '')))
    remark(service, 'changed', [key], 'what a variable says stays one word; Compose would split it');
  return words === undefined ? undefined : { words };
}

interface Image {
  readonly entrypoint?: Part | undefined;
  readonly cmd?: Part | undefined;
  readonly stopSignal?: string | undefined;
  readonly workingDir?: string | undefined;
  readonly user?: string | undefined;
  readonly about?: string;
}

function imageOf(service: Service, around: Around): Image | undefined {
  const build = service.keys.build;
  if (build !== undefined && build !== null) return builtImage(build, around);
  const name = service.keys.image;
  const known = typeof name === 'string' ? commandOfImage(name) : undefined;
  if (known === undefined) return undefined;
  return {
    entrypoint: { words: known.entrypoint },
    cmd: { words: known.cmd },
    stopSignal: known.stopSignal,
    about: `it is that of the image ${name}, whose programs must be here`,
  };
}

/** The Dockerfile that the service is built from, where it can be read and is no variable. */
function builtImage(build: Value, around: Around): Image | undefined {
  const said = isMapping(build) ? build : { context: build };
  const context = typeof said.context === 'string' ? said.context : '.';
  const file = typeof said.dockerfile === 'string' ? said.dockerfile : 'Dockerfile';
  const shown = join(context, file);
  if (/^[a-z+]+:\/\/|[$]/.test(context) || typeof said.dockerfile_inline === 'string') return undefined;
  let dockerfile: Dockerfile;
  try {
    const target = typeof said.target === 'string' ? said.target : null;
    dockerfile = readDockerfile(around.readFile(join(around.folder, shown)), target);
  } catch {
    return undefined;
  }
  const { entrypoint, cmd, stopSignal, workingDir, user } = dockerfile;
  return {
    entrypoint: entrypoint === undefined ? undefined : escaped(entrypoint),
    cmd: cmd === undefined ? undefined : escaped(cmd),
    stopSignal,
    workingDir,
    user,
    about: `it is that of ${shown}`,
  };
}

function escaped({ words, shell }: Part): Part {
  return shell === undefined ? { words: (words ?? []).map(literal) } : { shell: literal(shell) };
}

/** Where a file that is named beside the compose file lies. */
export function besideFile(around: Around, path: string): string {
  return path.startsWith('/') ? path : join(around.folder, path);
}
