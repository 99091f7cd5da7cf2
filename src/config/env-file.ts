/**
 * Files of variables, as `docker run --env-file` reads them: `KEY=VALUE` as it stands, without quotes or escapes; `KEY`
 * alone takes the value that gsup itself has; lines that begin with `#` and empty ones say nothing.
 */

export interface EnvFile {
  /** In the order of the file; null: the value that gsup has, if any. */
  readonly entries: ReadonlyArray<readonly [key: string, value: string | null]>;
  /** A sentence for each line that cannot be used. */
  readonly problems: readonly string[];
}

/** `name` is how the problems call the file. */
export function parseEnvFile(text: string, name: string): EnvFile {
  const entries: Array<readonly [string, string | null]> = [];
  const problems: string[] = [];
  for (const [at, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const problem = lineProblem(line);
    if (problem === undefined) entries.push(parseEnvEntry(line));
    else problems.push(`cannot use "${name}:${at + 1}": ${problem}`);
  }
  return { entries, problems };
}

/** `K=V`, or `K` alone. What `--env` says is the same. */
export function parseEnvEntry(entry: string): readonly [key: string, value: string | null] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, null] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

function lineProblem(line: string): string | undefined {
  const key = line.split('=', 1)[0] ?? '';
  if (key === '') return 'a variable like NAME=value is needed, got a line without a name';
  if (/\s/.test(key)) return `a name without blanks is needed, got ${JSON.stringify(key.slice(0, 64))}`;
  if (line.includes('\0')) return 'a text is needed, got a NUL byte';
  return undefined;
}
