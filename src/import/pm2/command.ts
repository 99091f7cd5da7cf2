/** The command line that PM2 makes of an app. Pure, but for the script that it looks at. */
import { basename, extname, join } from 'node:path';
import type { Around } from '../around.ts';
import type { Plain } from '../draft.ts';
import { literal, literalForShell, splitWords } from '../words.ts';
import { type App, lose, takeText, takeWords } from './app.ts';

/** By the end of a script's name. */
const INTERPRETERS: Readonly<Record<string, string>> = {
  '.js': 'node',
  '.cjs': 'node',
  '.mjs': 'node',
  '.sh': 'bash',
  '.py': 'python3',
  '.rb': 'ruby',
  '.php': 'php',
  '.pl': 'perl',
  '.coffee': 'coffee',
  '.ls': 'lsc',
  '.ts': 'bun',
  '.tsx': 'bun',
};

/** undefined: it has none. */
export function commandOf(app: App, cwd: string | undefined, around: Around): Plain | undefined {
  const script = takeText(app, 'script') ?? takeText(app, 'exec');
  const interpreter = takeText(app, 'exec_interpreter') ?? takeText(app, 'interpreter');
  const own =
    takeWords(app, 'node_args') ??
    takeWords(app, 'interpreter_args') ??
    takeWords(app, 'interpreterArgs') ??
    [];
  const args = takeWords(app, 'args') ?? [];
  if (script === undefined || script === '') {
    lose(app, 'script', 'an app needs one, got none; it is left out');
    return undefined;
  }
  const found = look(script, cwd, around);
  if (/\s/.test(script) && found === undefined) return literalForShell([script, ...args].join(' '));
  const by =
    interpreter === undefined || interpreter === ''
      ? interpreterOf(script, found)
      : interpreter === 'none'
        ? undefined
        : interpreter.replace(/^node@.*$/, 'node');
  const words = by === undefined ? [script, ...args] : [by, ...own, script, ...args];
  return words.map(literal);
}

/** A script that is there is run by Node.js unless its name or its bytes say otherwise; one that is not is a command. */
function interpreterOf(script: string, found: string | undefined): string | undefined {
  const known = INTERPRETERS[extname(script)];
  if (known !== undefined) return known;
  return found === undefined || found.includes('\0') ? undefined : 'node';
}

/** What stands in it; undefined: it is not there. */
function look(script: string, cwd: string | undefined, around: Around): string | undefined {
  const folder = cwd === undefined ? around.folder : join(around.folder, cwd.startsWith('/') ? '' : cwd);
  try {
    return around.readFile(
      script.startsWith('/') ? script : join(cwd?.startsWith('/') ? cwd : folder, script),
    );
  } catch {
    return undefined;
  }
}

/** As PM2 calls an app without a name. */
export function nameOfScript(script: string | undefined): string {
  const first = splitWords(script ?? '')?.[0] ?? '';
  return basename(first, extname(first)) || 'app';
}
