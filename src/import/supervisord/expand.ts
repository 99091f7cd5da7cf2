/** supervisord's `%(name)s` in gsup's language: what is known is put in, `%(ENV_X)s` becomes `${X}`. Pure. */
import { literal } from '../words.ts';

/** `variables`: what the file itself knows; of a number too, so that `%(process_num)02d` works. */
export type Variables = Readonly<Record<string, string | number>>;

export interface Expanded {
  /** For a value of a config: dollars of the text stay dollars. */
  readonly text: string;
  /** Names of the environment that it takes. */
  readonly env: readonly string[];
  /** The rule that the text breaks; undefined: none. */
  readonly problem: string | undefined;
}

const REFERENCE = /%(?:%|\(([^()]*)\)([-0 +#]*)(\d{0,3})([sd])|.?)/gs;

export function expand(text: string, variables: Variables): Expanded {
  const env: string[] = [];
  let problem: string | undefined;
  let out = '';
  let end = 0;
  for (const found of text.matchAll(REFERENCE)) {
    const [source, name, flags = '', width = '', kind] = found;
    out += literal(text.slice(end, found.index));
    end = found.index + source.length;
    if (source === '%%') out += '%';
    else if (name === undefined)
      problem ??= `a reference like %(here)s, or %% for a percent sign, is needed, got ${JSON.stringify(text.slice(found.index, found.index + 32))}`;
    else if (Object.hasOwn(variables, name))
      out += literal(formatted(variables[name] ?? '', flags, width, kind));
    else if (/^ENV_[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      env.push(name.slice(4));
      out += `\${${name.slice(4)}}`;
    } else problem ??= `there is no ${JSON.stringify(name.slice(0, 64))} to put in`;
  }
  return { text: out + literal(text.slice(end)), env, problem };
}

function formatted(value: string | number, flags: string, width: string, kind: string | undefined): string {
  const text = kind === 'd' ? String(Math.trunc(Number(value))) : String(value);
  if (flags.includes('-')) return text.padEnd(Number(width));
  return text.padStart(Number(width), flags.includes('0') && kind === 'd' ? '0' : ' ');
}
