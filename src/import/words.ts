/** Words of a command line, and dollars that are to stay dollars. Pure. */

/**
 * As a POSIX shell would split it, without expanding anything: quotes, backslashes, white space. undefined: a quote is
 * open. Python's shlex, which supervisord uses, and Compose's shellwords agree with it.
 */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] as string;
    if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (letter === "'" || letter === '"') {
      const quoted = readQuoted(text, at, letter);
      if (quoted === undefined) return undefined;
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else if (letter === '\\') {
      at++;
      if (at >= text.length) return undefined;
      if (text[at] !== '\n') word = (word ?? '') + text[at];
    } else word = (word ?? '') + letter;
  }
  if (word !== undefined) words.push(word);
  return words;
}

function readQuoted(text: string, from: number, quote: string): { text: string; end: number } | undefined {
  let out = '';
  for (let at = from + 1; at < text.length; at++) {
    const letter = text[at] as string;
    if (letter === quote) return { text: out, end: at };
    const next = text[at + 1];
    if (letter === '\\' && quote === '"' && next !== undefined && '"\\$`'.includes(next)) {
      out += next;
      at++;
    } else out += letter;
  }
  return undefined;
}

/** A text that variables are not looked for in. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

/** The same for a command that a shell reads: there a plain `$NAME` is left to the shell anyway. */
export function literalForShell(text: string): string {
  return text.replace(/\$\$|\$(?=\{)/g, (found) => (found === '$$' ? '$$$$' : '$$'));
}

/** One word for a shell. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
