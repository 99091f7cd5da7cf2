/** All generated files that are checked in, by their path in the repository; scripts/generate.mjs writes them. */
import { configPageLines } from '../config/config-page.ts';
import { configManual } from '../config/manual.ts';
import { openApi } from '../control/openapi.ts';
import { generateHeader } from './generate-header.ts';
import { exitCodesPage, optionsPage, page } from './help.ts';
import { gsupManual } from './manual.ts';

export function generateFiles(version: string): Readonly<Record<string, string>> {
  return {
    'src/init/options.gen.h': generateHeader(version),
    'src/cli/version.gen.ts': `/** Generated from package.json by \`npm run generate\`: do not edit. */\nexport const VERSION = '${version}';\n`,
    'docs/reference/options.md': optionsPage(),
    'docs/reference/config.md': page('The config file', configPageLines()),
    'docs/reference/exit-codes.md': exitCodesPage(),
    'man/gsup.1': gsupManual(version),
    'man/gsup.yaml.5': configManual(version),
    'docs/reference/openapi.json': `${JSON.stringify(openApi(version), null, 2)}\n`,
  };
}
