// Dockerfile.example is what people copy: it is built as it stands, with only the base image replaced, and run.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baseImage, freshName, podman, recordOf, runToEnd, start, whyNoContainers } from './podman.ts';

const reason = await whyNoContainers();
const image = `localhost/${freshName()}`;

describe.skipIf(reason)('Dockerfile.example', () => {
  beforeAll(async () => {
    const from = ['--network=none', '--pull=never', '--build-arg', `BASE=${baseImage}`];
    await podman('build', '-q', ...from, '-f', 'Dockerfile.example', '-t', image, '.');
  });
  afterAll(async () => {
    await runToEnd('podman', ['rmi', '-f', image]);
  });

  test('S18 has the native entry as PID 1, of a user without rights, and stops as the server does', async () => {
    const container = await start({ image, args: [] });
    await container.waitForLine(/listening|ready/i);
    expect(await container.exec('readlink', '/proc/1/exe')).toMatch(/\/dist\/native\/gsup$/);
    expect(await container.exec('id', '-u')).toBe('10001');
    await container.stop(10);
    expect(await container.ended()).toMatchObject({ code: 0 });
    const records = await container.records('/tmp/gsup-10001');
    expect(recordOf(records, 'run-ended')).toMatchObject({ run: 'node#1', code: 0, forced: false });
  });

  test('another command takes the place of CMD, and its code comes out', async () => {
    const container = await start({ image, args: ['sh', '-c', 'exit 23'] });
    expect(await container.ended()).toMatchObject({ code: 23 });
  });

  test('the supervisor is found from where the link leads', async () => {
    const container = await start({
      image,
      podman: ['--entrypoint', '["gsup", "run", "--stay", "--"]'],
      args: ['sh', '-c', 'exit 24'],
    });
    expect(await container.ended()).toMatchObject({ code: 24 });
    recordOf(await container.records('/tmp/gsup-10001'), 'supervisor-started');
  });
});
