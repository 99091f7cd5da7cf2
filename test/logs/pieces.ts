/** Lines of a copy, as the pump writes them. */
export const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();

export function copyLine(
  ms: number,
  text: string,
  { run = 'web#1', stream = 'stdout', kind = 'F' }: { run?: string; stream?: string; kind?: string } = {},
): string {
  return `${at(ms)} ${run} ${stream} ${kind} ${text}\n`;
}

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const text = (of: Uint8Array): string => Buffer.from(of).toString();
