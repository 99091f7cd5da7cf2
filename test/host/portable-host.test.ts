import { testHost } from './conformance.ts';
import { openWorld } from './world.ts';

testHost({
  name: 'portable',
  open: () => openWorld((relay) => ({ argv: [process.execPath, relay], env: {}, endsWithItsSocket: true })),
  signalled: (world) => world.pid,
  samePids: true,
  // What PORTABLE_LOSSES says.
  can: { reapOrphans: false, limits: false, usage: false, sender: false, exitCode: false },
});
