import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll } from 'vitest';
import { testHost } from './conformance.ts';
import { openWorld } from './world.ts';

const gsup = process.env.GSUP_TEST_BINARY ?? join(import.meta.dirname, '../../dist/native/gsup');
const can = {
  keepOrphans: true,
  setLimits: true,
  tellUsage: true,
  tellSender: true,
  exitWithCode: true,
  captureOutput: true,
};

beforeAll(() => {
  if (!existsSync(gsup)) throw new Error(`cannot find "${gsup}": npm run build makes it`);
});

// --stay brings a supervisor, and GSUP_SUPERVISOR puts the relay in its place: what the command line says is not started.
for (const namespace of [true, false]) {
  testHost({
    name: namespace ? 'native, as PID 1,' : 'native, as subreaper,',
    open: () =>
      openWorld((relay, dir) => ({
        argv: [gsup, 'run', '--state-dir', dir, '--rewrite', 'USR2:USR1', '--stay', '--', 'true'],
        env: { GSUP_SUPERVISOR: relay },
        namespace,
      })),
    samePids: !namespace,
    can,
  });
}
