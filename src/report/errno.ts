import { getSystemErrorMap } from 'node:util';

/** `ENOSPC` in words; what is no name of an error is returned as it is. */
export function errnoOf(name: string): string {
  const found = [...getSystemErrorMap().values()].find(([code]) => code === name);
  return found === undefined ? name : found[1];
}

/** `no such file or directory (ENOENT)`. */
export function errnoText(errno: number): string {
  const [name, message] = getSystemErrorMap().get(-errno) ?? [];
  return name === undefined ? `error ${errno}` : `${message} (${name})`;
}
