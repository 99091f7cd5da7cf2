/** What a converter may ask of the world. */
import type { Environment } from '../cli/parse.ts';

export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** As the user would call it. */
  readonly shown: string;
}

export interface Around {
  /** The file, as the user calls it. */
  readonly file: string;
  /** Absolute: where it lies. */
  readonly folder: string;
  /** Absolute: where the config is going to lie. */
  readonly targetFolder: string;
  readonly env: Environment;
  readonly host: string;
  /** Takes an absolute path; throws what `fs.readFileSync` throws. */
  readonly readFile: (path: string) => string;
  /** Files that fit a pattern of the shell, relative to `folder`, sorted, within bounds. */
  readonly glob: (pattern: string) => readonly FoundFile[];
  readonly causeOf: (error: unknown) => string;
  /** What lies in a folder, by name, within bounds; throws what `fs.readdirSync` throws. Takes an absolute path. */
  readonly list: (path: string) => readonly Listed[];
}

export interface Listed {
  readonly name: string;
  readonly kind: 'folder' | 'file' | 'other';
  readonly executable: boolean;
}
