// Dockerfile.example is what people copy: it is built as it stands, with only the base image replaced, and run.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { theOne } from '../support/story.ts';
import { startContainer } from './container.ts';
import { baseImage, containerRing, freshName, podman, root, tryPodman } from './podman.ts';

const { reason } = await containerRing();
const image = `localhost/${freshName()}`;

describe.skipIf(reason)('Dockerfile.example', () => {
  beforeAll(async () => {
    const from = ['--network=none', '--pull=never', '--layers=false', '--build-arg', `BASE=${baseImage}`];
    await podman('build', '-q', ...from, '-f', join(root, 'Dockerfile.example'), '-t', image, root);
  });
  afterAll(async () => {
    await tryPodman('rmi', '-f', image);
  });

  test('S18 has the native entry as PID 1, of a user without rights, and stops as the server does', async () => {
    const container = await startContainer([], { image });
    await container.line(/listening|ready/i);
    expect(await container.exec('readlink', '/proc/1/exe')).toMatch(/\/dist\/native\/gsup$/);
    expect(await container.exec('id', '-u')).toBe('10001');
    await container.stop(10);
    expect(await container.ended()).toBe(0);
    const records = await container.records('/tmp/gsup-10001/node');
    expect(theOne(records, 'run-ended')).toMatchObject({ run: 'node#1', code: 0, forced: false });
  });

  test('another command takes the place of CMD, and its code comes out', async () => {
    const container = await startContainer(['sh', '-c', 'exit 23'], { image });
    expect(await container.ended()).toBe(23);
  });

  test('the supervisor is found from where the link leads', async () => {
    const entry = ['--entrypoint', '["gsup", "run", "--stay", "--"]'];
    const container = await startContainer(['sh', '-c', 'exit 24'], { image, podman: entry });
    expect(await container.ended()).toBe(24);
    theOne(await container.records('/tmp/gsup-10001/sh'), 'supervisor-started');
  });
});
