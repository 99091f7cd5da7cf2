/** From a file of somebody else to a config of gsup: format, draft, and what `gsup check` takes of it. */
import { basename } from 'node:path';
import type { Environment } from '../cli/parse.ts';
import type { Problem } from '../config/problem.ts';
import { MAX_CONFIG_BYTES, readYaml } from '../config/yaml.ts';
import type { Around } from './around.ts';
import { importCompose } from './compose/convert.ts';
import { formatOf } from './detect.ts';
import type { Imported } from './draft.ts';
import { FORMATS, type Format } from './formats.ts';
import { importPm2 } from './pm2/convert.ts';
import type { Evaluated } from './pm2/evaluate.ts';
import { importProcfile } from './procfile.ts';
import { importS6 } from './s6/convert.ts';
import { type Settled, settle } from './settle.ts';
import { importSupervisord } from './supervisord/convert.ts';

export interface Conversion extends Around {
  /** Absolute. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Of a folder: empty. */
  readonly text: string;
  readonly format: Format | null;
  /** Absolute: where the config is going to be. */
  readonly target: string;
  readonly cwd: string;
  readonly processors: number;
  readonly evaluate: (path: string, kind: 'module' | 'expression', env: Environment) => Evaluated;
}

export type Converted = Settled | { readonly kind: 'unknown'; readonly message: string };

export function convert(conversion: Conversion): Converted {
  const { file, text, isFolder } = conversion;
  const format = conversion.format ?? (isFolder ? 's6' : formatOf(basename(file), text));
  if (format === undefined)
    return {
      kind: 'unknown',
      message: `cannot import "${file}": nobody can tell its format; name it with --from ${FORMATS.join(', ')}`,
    };
  if (format === 'gsup')
    return { kind: 'unknown', message: `cannot import "${file}": it is a config of gsup` };
  if (isFolder !== (format === 's6'))
    return {
      kind: 'unknown',
      message: `cannot import "${file}": ${isFolder ? 'a file' : 'a folder'} is needed for ${format}`,
    };
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) return { kind: 'problems', problems: [tooLong(file)] };
  const imported = importAs(format, conversion);
  if (imported.kind === 'problems') return imported;
  const { env, cwd, readFile, target } = conversion;
  return settle(imported.draft, { env, cwd, readFile, readStdin: () => '', target, source: file });
}

function tooLong(file: string): Problem {
  const message = `cannot import "${file}": it has at most ${MAX_CONFIG_BYTES} bytes`;
  return { file, line: 0, column: 0, path: '', message, hint: '' };
}

function importAs(format: Format, conversion: Conversion): Imported {
  switch (format) {
    case 'supervisord':
      return importSupervisord(conversion.text, conversion);
    case 'compose':
      return importCompose(conversion.text, conversion);
    case 'procfile':
      return importProcfile(conversion.text, conversion);
    case 's6':
      return importS6(conversion.path, conversion);
    case 'pm2':
      return importEcosystem(conversion);
  }
}

/** JSON and YAML are read; what is neither is JavaScript, and is run. */
function importEcosystem(conversion: Conversion): Imported {
  const { file, path, text, env } = conversion;
  const isModule = /\.[cm]?js$/.test(file);
  if (!isModule && (/\.ya?ml$/.test(file) || readYaml(text, file).problems.length === 0))
    return importPm2({ text, isSource: true }, conversion);
  const evaluated = conversion.evaluate(path, isModule ? 'module' : 'expression', env);
  if (evaluated.kind === 'json') return importPm2({ text: evaluated.text, isSource: false }, conversion);
  const { message, line } = evaluated;
  const place = { file, line, column: line > 0 ? 1 : 0 };
  return {
    kind: 'problems',
    problems: [{ ...place, path: '', message: `cannot import "${file}": ${message}`, hint: '' }],
  };
}
