/** What package.json says of the command and of Node.js. Pure. */

export interface Package {
  /** As npm calls it, without its scope; undefined: it has none. */
  readonly name: string | undefined;
  /** Words of a command, and where they come from; undefined: none can be found. */
  readonly command: readonly string[] | undefined;
  readonly from: string;
  readonly hasBuild: boolean;
  /** The oldest major version that it asks for; undefined: it does not say. */
  readonly node: number | undefined;
}

/** Words of a command that needs no shell, and whose program npm does not have to look for. */
const SIMPLE = /^node(?: [A-Za-z0-9_./=:@-]+)+$/;

/** `files`: what lies beside it. Throws what is no JSON. */
export function readPackage(text: string, files: ReadonlySet<string>): Package {
  const parsed: unknown = JSON.parse(text);
  const own = isRecord(parsed) ? parsed : {};
  const scripts = isRecord(own.scripts) ? own.scripts : {};
  const engines = isRecord(own.engines) ? own.engines : {};
  const major = Number(/\d+/.exec(textOf(engines.node) ?? '')?.[0]);
  return {
    name: textOf(own.name)?.replace(/^@[^/]*\//, ''),
    ...commandOf(own, scripts, files),
    hasBuild: textOf(scripts.build) !== undefined,
    node: Number.isInteger(major) ? major : undefined,
  };
}

function commandOf(
  own: Record<string, unknown>,
  scripts: Record<string, unknown>,
  files: ReadonlySet<string>,
): Pick<Package, 'command' | 'from'> {
  const start = textOf(scripts.start);
  const hasHooks = scripts.prestart !== undefined || scripts.poststart !== undefined;
  if (start !== undefined && SIMPLE.test(start) && !hasHooks)
    return { command: start.split(' '), from: 'scripts.start' };
  if (start !== undefined) return { command: ['npm', 'start'], from: 'scripts.start' };
  // What npm start does without a script.
  if (files.has('server.js')) return { command: ['node', 'server.js'], from: 'server.js' };
  const bins = typeof own.bin === 'string' ? [own.bin] : isRecord(own.bin) ? Object.values(own.bin) : [];
  const [bin] = bins.filter((path) => typeof path === 'string');
  if (bins.length === 1 && typeof bin === 'string') return { command: ['node', bin], from: 'bin' };
  const main = textOf(own.main);
  return main === undefined ? { command: undefined, from: '' } : { command: ['node', main], from: 'main' };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
