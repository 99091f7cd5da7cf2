/** What init has counted, as metrics. */
import type { Registry } from 'prom-client';
import type { Counts } from '../host/host.ts';

/** Shown as soon as init has said them: a counter that is not known is absent, because one that begins at 0 again would be a reset. */
export function createCounted(
  { Counter }: Pick<typeof import('prom-client'), 'Counter'>,
  registry: Registry,
): (counts: Counts | null) => void {
  const registers: Registry[] = [];
  const orphans = new Counter({
    name: 'gsup_orphans_reaped_total',
    help: 'Processes that were reaped after their parent had ended',
    registers,
  });
  const output = new Counter({
    name: 'gsup_log_bytes_total',
    help: 'Captured output, as the process has written it',
    labelNames: ['process', 'stream'] as const,
    registers,
  });
  let isKnown = false;
  return (counts) => {
    if (counts === null) return;
    if (!isKnown) for (const each of [orphans, output]) registry.registerMetric(each as never);
    isKnown = true;
    orphans.reset();
    orphans.inc(counts.orphans);
    output.reset();
    for (const { process, stdout, stderr } of counts.bytes) {
      output.inc({ process, stream: 'stdout' }, stdout);
      output.inc({ process, stream: 'stderr' }, stderr);
    }
  };
}
