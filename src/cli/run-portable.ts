/** `gsup run` where the native part does not run: the same core, with this process as the parent of the command. */
import { join } from 'node:path';
import { logNames } from '../checkpoint/files.ts';
import { type Journal, openJournal } from '../checkpoint/journal.ts';
import type { RunConfig } from '../config/run-config.ts';
import { realClock } from '../host/clock.ts';
import { withFacts } from '../host/portable-facts.ts';
import { createPortableHost } from '../host/portable-host.ts';
import { PORTABLE_LOSSES, portableRefusals } from '../host/portable-launch.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome } from './output.ts';
import type { Environment } from './parse.ts';
import { claimTask } from './portable-state.ts';
import { reporterFor, supervise, taskOfRun } from './supervise.ts';

const STDERR = 2;

/** `ownsProcess`: see World. */
export async function runPortable(
  config: RunConfig,
  env: Environment,
  ownsProcess: boolean,
): Promise<Outcome> {
  const refusals = refusalsOf(config);
  if (refusals.length > 0) {
    return failure(
      EXIT.unavailable,
      ...refusals.map((refusal) => `cannot start "${config.name}": ${refusal}`),
    );
  }
  const state = config.state.memoryOnly ? null : claim(config, env);
  if (state?.kind === 'held') {
    const rule = 'another gsup holds this task; stop it, or give another --name';
    return failure(EXIT.held, `cannot start "${config.name}": ${rule}`);
  }
  if (state?.kind === 'none' && config.state.required) {
    return failure(EXIT.state, `cannot use the state directory "${state.path}": ${state.cause}`);
  }
  const reporter = reporterFor(STDERR, config.log, env);
  reporter.say({ kind: 'portable', losses: PORTABLE_LOSSES });
  const claimed = state?.kind === 'claimed' ? state : null;
  try {
    return await supervise(taskOfRun(config), {
      task: claimed?.task ?? config.name,
      host: withFacts(createPortableHost(policyOf(config), realClock), factLog(claimed?.folder)),
      journal: claimed === null ? {} : { path: join(claimed.folder, logNames.checkpoint) },
      reporter,
      ownsProcess,
      exitCodeOf: ({ exitCode }) => exitCode ?? EXIT.internal,
    });
  } finally {
    claimed?.release();
  }
}

/** What cannot be done is refused before anything starts, never ignored. */
function refusalsOf(config: RunConfig): string[] {
  const own = config.parentDeathSignal === null ? [] : ['--parent-death-signal needs the native part'];
  const said = config.ready?.probe.kind === 'notify' ? ['--ready notify needs the native part'] : [];
  const watchdog = config.watchdogMs === null ? [] : ['--health watchdog needs the native part'];
  const http = config.http === null ? [] : ['--http needs the native part'];
  return [...portableRefusals(config.launch), ...own, ...said, ...watchdog, ...http];
}

/** init.log: what happened, beside checkpoint.log's what was decided. Its troubles are those of checkpoint.log. */
function factLog(folder: string | undefined): Journal | null {
  if (folder === undefined) return null;
  const opened = openJournal({
    path: join(folder, logNames.init),
    clock: realClock,
    report: () => {},
    // Nothing is decided by it: the last facts stay.
    compaction: { needed: (records) => records.map(() => false) },
  });
  return opened.kind === 'open' ? opened.journal : null;
}

function claim(config: RunConfig, env: Environment) {
  const question = { option: config.state.dir ?? undefined, env, uid: process.getuid?.() ?? -1 };
  return claimTask(question, config.name, config.exactName);
}

function policyOf(config: RunConfig) {
  return { stopOn: new Set(config.stop.on), rewrite: new Map(config.rewrite) };
}
