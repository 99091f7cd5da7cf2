import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Everything that is loaded as soon as `entry` is, by its path in the repository. */
async function loadedWith(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    write: false,
    metafile: true,
  });
  const loaded = new Set<string>();
  const next = [entry];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    const imports = metafile.inputs[path]?.imports ?? [];
    next.push(
      ...imports.filter((one) => one.kind !== 'dynamic-import' && !one.external).map((one) => one.path),
    );
  }
  return [...loaded];
}

describe('what a start loads', () => {
  it('the supervisor: no library, and no other command, until there is something to say or to walk', async () => {
    const loaded = await loadedWith('src/cli/dispatch.ts');
    expect(loaded).toContain('src/supervisor/loop.ts');
    expect(loaded.filter((path) => path.includes('node_modules/'))).toEqual([]);
    expect(loaded.filter((path) => /cli\/(program|help|check|other-commands)\.ts/.test(path))).toEqual([]);
    expect(loaded.filter((path) => /host\/portable-/.test(path))).toEqual([]);
  });

  it('a client of a running task: nothing that supervises, reads a config or draws', async () => {
    const loaded = await loadedWith('src/cli/client-entry.ts');
    expect(loaded).toContain('src/cli/client-programs.ts');
    const libraries = loaded.flatMap((path) => /node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
    expect([...new Set(libraries)]).toEqual(['commander']);
    expect(
      loaded.filter((path) => /^src\/(supervisor\/loop|host|config\/keys|import\/read|top)/.test(path)),
    ).toEqual([]);
  });

  it('another command: nothing that reads a config file, until one is to be read', async () => {
    const loaded = await loadedWith('src/cli/other-commands.ts');
    expect(loaded).toContain('src/cli/help.ts');
    expect(loaded.filter((path) => /node_modules\/(yaml|zod|commander)\//.test(path))).toEqual([]);
  });
});
