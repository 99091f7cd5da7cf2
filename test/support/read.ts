import { readFileSync } from 'node:fs';

/** Empty when it is not there: between a look and reading it, a file can be put aside. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
