/** Sizes as Docker writes them: `100MB`, `512m`, `1.5g`; a unit is 1,024 times the one before, with or without an i. */
const UNITS = 'bkmgt';

/** Beyond any memory and any disk, and far from where numbers lose their last digits. */
const MAX_BYTES = 1024 ** 5;

/** In bytes; undefined: no such size, or none at all. */
export function parseSize(text: string): number | undefined {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,6})?)(?:b|([kmgt])(?:i?b)?)$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * 1024 ** UNITS.indexOf((match[2] ?? 'b').toLowerCase()));
  return bytes >= 1 && bytes <= MAX_BYTES ? bytes : undefined;
}

/** The shortest text that `parseSize` reads back as the same. */
export function formatSize(bytes: number): string {
  for (let power = UNITS.length - 1; power > 0; power--) {
    const unit = 1024 ** power;
    if (bytes % unit === 0) return `${bytes / unit}${UNITS[power]?.toUpperCase()}B`;
  }
  return `${bytes}b`;
}
