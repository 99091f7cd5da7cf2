/** Which format a file has, by its name, and where that says nothing by what stands in it. Pure. */
import { isProcfile } from '../config/procfile.ts';
import type { Format } from './formats.ts';

/** `base`: the name without folders. undefined: nobody can tell. */
export function formatOf(base: string, text: string): Format | 'gsup' | undefined {
  if (isProcfile(base)) return 'procfile';
  if (/\.[cm]?js$/.test(base)) return 'pm2';
  if (/^(?:docker-)?compose(?:[.-][^/]*)?\.ya?ml$/.test(base)) return 'compose';
  return byContent(text);
}

const SIGNS: ReadonlyArray<readonly [format: Format | 'gsup', sign: RegExp]> = [
  ['supervisord', /^\[(?:supervisord|(?:program|group|eventlistener|fcgi-program):[^\]\n]+|include)\]/m],
  ['pm2', /^\s*\{?\s*["']?apps["']?\s*:|^\s*[[{][\s\S]*["']?script["']?\s*:/m],
  ['gsup', /^["']?processes["']?\s*:|^\s*\{\s*"processes"\s*:/m],
  ['compose', /^["']?services["']?\s*:|^\s*\{[\s\S]*?"services"\s*:/m],
];

function byContent(text: string): Format | 'gsup' | undefined {
  const sign = SIGNS.find(([, pattern]) => pattern.test(text));
  if (sign !== undefined) return sign[0];
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const isList = lines.length > 0 && lines.every((line) => /^[A-Za-z0-9_-]+:\s+\S/.test(line));
  return isList ? 'procfile' : undefined;
}
