import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Script, scenarioOf } from './script.ts';
import { judge } from './trials.ts';

/** Cases that failed once, as `npm run soak` and the random tests print them. */
const folder = new URL('scripts/', import.meta.url);
const scripts = readdirSync(folder).map((name): [string, string, Script] => {
  const script: Script = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
  return [name, script.title, script];
});

test.each(scripts)('%s: %s', (_, __, script) => {
  expect(judge(scenarioOf(script), script.crashes).exitCode).not.toBeNull();
});
