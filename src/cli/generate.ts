/** All generated files that are checked in, by their path in the repository; scripts/generate.mjs writes them. */
import { generateHeader } from './generate-header.ts';

export function generateFiles(version: string): Readonly<Record<string, string>> {
  return {
    'src/init/options.gen.h': generateHeader(version),
  };
}
