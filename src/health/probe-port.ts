/** The questions of readiness and health that are no commands. What asks is loaded when something is to be asked. */
import type { ProbePort } from '../supervisor/ports.ts';
import type { Copies, LogProbe } from './log-probe.ts';

/** `copies`: null where no output is kept. */
export function createProbePort(copies: Copies | null): ProbePort {
  let looks: Promise<ReturnType<typeof import('./memory-probe.ts').createMemoryLooks>> | undefined;
  let logProbe: Promise<LogProbe> | undefined;
  return {
    ask(run, probe, timeoutMs, done) {
      const failed = (error: unknown): void =>
        done(false, error instanceof Error ? error.message : String(error));
      switch (probe.kind) {
        case 'tcp':
          import('./tcp-probe.ts').then(({ askTcp }) => askTcp(probe, timeoutMs, done), failed);
          break;
        case 'http':
          import('./http-probe.ts').then(({ askHttp }) => askHttp(probe.url, timeoutMs, done), failed);
          break;
        case 'memory':
          looks ??= import('./memory-probe.ts').then(({ createMemoryLooks }) => createMemoryLooks());
          looks.then((look) => look({ probe, done })).catch(() => done(true));
          break;
        case 'log':
          if (copies === null) {
            queueMicrotask(() => done(false, 'its output is kept nowhere: there is no state directory'));
            break;
          }
          logProbe ??= import('./log-probe.ts').then(({ createLogProbe }) => createLogProbe(copies));
          logProbe.then((asking) => asking.ask(run, probe.pattern, timeoutMs, done)).catch(failed);
          break;
      }
    },
  };
}
