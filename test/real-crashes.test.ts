import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

// The first word is a number, and a title is easily given in its place.
test.each(['up: ', '', '-5', '0', '1.5', '10x'])(
  'scripts/real-crashes.sh refuses %j in place of a number, and runs nothing',
  (word) => {
    // What takes it for a number would go on for an hour: it finds no test of that title, and ends.
    const words = ['scripts/real-crashes.sh', word, 'no test has this title'];
    const { status, stdout, stderr } = spawnSync('sh', words, { encoding: 'utf8', timeout: 60_000 });
    expect(stdout).toBe('');
    expect(stderr).toContain(`cannot take "${word}" for RANDOM`);
    expect(status).toBe(64);
  },
);
