// The tutorial and the how-tos are followed word by word: every command is run as it stands, a page from top to bottom in
// an empty folder, and what a page shows is what comes out. What needs a container is left out where there can be none.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { containerRing } from '../container/podman.ts';
import { follow, missingFor, shows, stepsOf } from './followed.ts';
import { blocks, page, root } from './pages.ts';

const { reason } = await containerRing();
const howTos = readdirSync(join(root, 'docs/how-to')).filter((name) => name.endsWith('.md'));
const PAGES = ['docs/tutorial.md', ...howTos.map((name) => `docs/how-to/${name}`)];

describe.each(PAGES)('%s', (path) => {
  const text = page(path);

  const missing = missingFor(text);
  if (missing !== undefined) console.warn(`${path}: no containers, because there is no ${missing}`);

  test('every command does what the page says', { timeout: 600_000 }, async () => {
    expect(stepsOf(text).length).toBeGreaterThan(0);
    await follow(text, reason === undefined && missing === undefined);
  });

  test('its YAML is YAML', () => {
    for (const block of blocks(text, 'yaml'))
      expect(parseAllDocuments(block).flatMap((one) => one.errors)).toEqual([]);
  });
});

test('the JSON of how-tos is JSON, and what ECS is to wait for is what check prints', () => {
  for (const name of howTos)
    for (const block of blocks(page(`docs/how-to/${name}`), 'json'))
      expect(() => JSON.parse(block)).not.toThrow();
  const [definition = ''] = blocks(page('docs/how-to/ecs.md'), 'json');
  const [web] = JSON.parse(definition).containerDefinitions;
  const grace = web.environment.find(({ name }: { name: string }) => name === 'GSUP_GRACE').value;
  const words = ['check', '--for', 'ecs', 'run', '--grace', grace, '--', 'true'];
  const { stdout } = spawnSync(join(root, 'bin/gsup'), words, { encoding: 'utf8' });
  expect(stdout).toBe(`"stopTimeout": ${web.stopTimeout}\n`);
  for (const name of ['compose.md', 'kubernetes.md', 'ecs.md'])
    expect(page(`docs/how-to/${name}`)).toContain(`gsup check --for ${name.replace('.md', '')}`);
});

describe('what a page shows', () => {
  test('is compared line by line, between others, but for times', () => {
    expect(shows('x\nstopped after 2.8s\ny\n143\n', 'stopped after 1.0s\n143\n')).toBe(true);
    expect(shows('stopped after 2.8s\n137\n', 'stopped after 1.0s\n143\n')).toBe(false);
    expect(shows('b\na\n', 'a\nb\n')).toBe(false);
  });

  test('an ellipsis stands for anything', () => {
    expect(shows('web  running  17  3.2s\n', 'web running …\n')).toBe(true);
    expect(shows('web  stopped  17  3.2s\n', 'web running …\n')).toBe(false);
  });
});
