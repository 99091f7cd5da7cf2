// Every command of the how-tos is run, as it stands: a page from top to bottom, in an empty folder.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocks, page, root } from './pages.ts';

const PAGES = readdirSync(join(root, 'docs/how-to')).filter((name) => name.endsWith('.md'));

test.each(PAGES)('%s', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-how-to-'));
  try {
    const commands = blocks(page(`docs/how-to/${name}`), 'sh');
    expect(commands.length).toBeGreaterThan(0);
    const env = {
      ...process.env,
      PATH: `${join(root, 'bin')}:${process.env.PATH}`,
      GSUP_STATE_DIR: join(folder, '.state'),
    };
    for (const command of commands) {
      const ended = spawnSync('sh', ['-ec', command], {
        cwd: folder,
        env,
        encoding: 'utf8',
        timeout: 60_000,
      });
      expect(ended.status, `${command}\n${ended.stderr}`).toBe(0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
