/** The inputs that scripts/fuzz.sh has found worth keeping, through the targets in src/init/test, with sanitizers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
const targets = ['order', 'options', 'notify', 'lines', 'protocol', 'coordinator'];

test.each(targets)('no input that was ever found breaks %s', (target) => {
  const folder = join(root, 'test/fuzz', target);
  const files = readdirSync(folder).map((name) => join(folder, name));
  const program = join(root, 'build/fuzz', `${target}-replay`);
  mkdirSync(join(root, 'build/fuzz'), { recursive: true });
  execFileSync('sh', [join(root, 'src/init/test/fuzz-build.sh'), target, program]);
  const { status, stdout, stderr } = spawnSync(program, files, { encoding: 'utf8', timeout: 50_000 });
  // What broke, or else nothing: the program names each input before it runs it.
  expect(status === 0 ? '' : stderr.split('\n').slice(-40).join('\n')).toBe('');
  expect(Number(stdout)).toBe(files.length);
  expect(files.length).toBeGreaterThan(10);
});
