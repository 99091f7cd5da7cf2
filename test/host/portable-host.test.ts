import { testHost } from './conformance.ts';
import { openWorld } from './world.ts';

testHost({
  name: 'portable',
  open: () => openWorld((relay) => ({ argv: [process.execPath, relay], env: {}, namespace: false })),
  samePids: true,
  // What PORTABLE_LOSSES says. Its exit code is that of the supervisor, which is in the same process.
  can: {
    keepOrphans: false,
    setLimits: false,
    tellUsage: false,
    tellSender: false,
    exitWithCode: false,
    captureOutput: false,
  },
});
