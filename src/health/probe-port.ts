/** The questions of readiness and health that are no commands. What asks is loaded when something is to be asked. */
import type { ProbePort } from '../supervisor/ports.ts';

export function createProbePort(): ProbePort {
  return {
    ask(_run, probe, timeoutMs, done) {
      const failed = (error: unknown): void =>
        done(false, error instanceof Error ? error.message : String(error));
      switch (probe.kind) {
        case 'tcp':
          import('./tcp-probe.ts').then(({ askTcp }) => askTcp(probe, timeoutMs, done), failed);
          break;
        case 'http':
          import('./http-probe.ts').then(({ askHttp }) => askHttp(probe.url, timeoutMs, done), failed);
          break;
        case 'log':
          // Refused where the config is read, as long as there is no captured output to look at.
          queueMicrotask(() => done(false, 'its output is not captured'));
          break;
      }
    },
  };
}
