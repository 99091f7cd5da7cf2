/** How many columns a text takes on a terminal, and texts made as wide as they have to be. Pure. */

/**
 * East Asian Wide and Fullwidth with the characters that are pictures by default (Unicode, EastAsianWidth.txt), from and
 * to in hexadecimal; code points that nobody has got yet may lie within.
 */
const WIDE_RANGES = `1100-115f 231a-231b 2329-232a 23e9-23ec 23f0 23f3 25fd-25fe 2614-2615 2648-2653 267f 2693 26a1 26aa-26ab
26bd-26be 26c4-26c5 26ce 26d4 26ea 26f2-26f3 26f5 26fa 26fd 2705 270a-270b 2728 274c 274e 2753-2755 2757 2795-2797 27b0 27bf
2b1b-2b1c 2b50 2b55 2e80-303e 3041-3247 3250-4dbf 4e00-a4c6 a960-a97c ac00-d7a3 f900-faff fe10-fe19 fe30-fe6b ff01-ff60
ffe0-ffe6 16fe0-1b2fb 1f004 1f0cf 1f18e 1f191-1f19a 1f200-1f320 1f32d-1f335 1f337-1f37c 1f37e-1f393 1f3a0-1f3ca 1f3cf-1f3d3
1f3e0-1f3f0 1f3f4 1f3f8-1f43e 1f440 1f442-1f4fc 1f4ff-1f53d 1f54b-1f54e 1f550-1f567 1f57a 1f595-1f596 1f5a4 1f5fb-1f64f
1f680-1f6c5 1f6cc 1f6d0-1f6d2 1f6d5-1f6df 1f6eb-1f6ec 1f6f4-1f6fc 1f7e0-1f7f0 1f90c-1f93a 1f93c-1f945 1f947-1f9ff
1fa70-1faff 20000-3fffd`;

const wide: readonly (readonly [from: number, to: number])[] = WIDE_RANGES.split(/\s+/).map((range) => {
  const [from = '', to = from] = range.split('-');
  return [Number.parseInt(from, 16), Number.parseInt(to, 16)];
});

/** What stands on the character before it, and the second halves of Hangul syllables. */
const zero = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

/** 0, 1 or 2. Of a character that can be shown: controls are somebody else's to escape. */
export function characterWidth(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return code === 0xad ? 0 : 1;
  if (zero.test(character)) return 0;
  return isWide(code) ? 2 : 1;
}

function isWide(code: number): boolean {
  let [low, high] = [0, wide.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [from, to] = wide[middle] ?? [0, 0];
    if (code < from) high = middle - 1;
    else if (code > to) low = middle + 1;
    else return true;
  }
  return false;
}

/** A mark that has nothing to stand on would stand on whatever was there before. */
export function withoutLeadingMarks(text: string): string {
  return text.replace(/^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]+/u, '');
}

const ascii = /^[\x20-\x7e]*$/;

export function widthOf(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** What says that a text goes on, as in top. */
const CUT = '+';

/** Of at most `width` columns. */
export function cutTo(text: string, width: number): string {
  if (width <= 0) return '';
  return widthOf(text) <= width ? text : `${headOf(text, width - 1)}${CUT}`;
}

/** Of exactly `width` columns. */
export function fitTo(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const cut = cutTo(text, width);
  const space = ' '.repeat(Math.max(0, width - widthOf(cut)));
  return side === 'left' ? cut + space : space + cut;
}

/** In lines of at most `width` columns, cut wherever one is full. */
export function wrapTo(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (width > 0 && widthOf(rest) > width) {
    const head = headOf(rest, width);
    // A character that is wider than the line stands on a line of its own all the same.
    const line = head === '' ? String.fromCodePoint(rest.codePointAt(0) ?? 0) : head;
    lines.push(line);
    rest = rest.slice(line.length);
  }
  return [...lines, rest];
}

/** In lines of at most `width` columns, cut between words where that can be. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const parts = wrapTo(word, width);
    lines.push(...parts.slice(0, -1));
    line = parts.at(-1) ?? '';
  }
  return [...lines, line];
}

function headOf(text: string, width: number): string {
  if (ascii.test(text)) return text.slice(0, width);
  let [used, head] = [0, ''];
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    head += character;
  }
  return head;
}
