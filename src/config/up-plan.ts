/** What the core supervises when it is the processes of a config file: replicas, levels, digest. Pure. */
import { formatCrc } from '../checkpoint/codec.ts';
import { crc32c } from '../checkpoint/crc32c.ts';
import type { Dependency, ProcessPlan, TaskPlan } from '../supervisor/plan.ts';
import type { Launch, Output } from '../supervisor/vocabulary.ts';
import { stopLevels } from './stop-levels.ts';
import type { ProcessConfig, UpConfig } from './up-config.ts';

/** `task`: the name under which this invocation holds its folder. */
export function planUp(config: UpConfig, task: string, version: string): TaskPlan {
  const byName = new Map(config.processes.map((process) => [process.name, process]));
  const finals = config.processes.filter(({ role }) => role === 'final');
  const others = config.processes.filter(({ role }) => role !== 'final');
  // Finals run when all others are gone, so their levels are their own.
  const levels = new Map([...stopLevels(finals), ...stopLevels(others)]);
  return {
    name: task,
    command: 'up',
    version,
    configDigest: digestOf(config),
    processes: config.processes.flatMap((process) => expand(process, levels.get(process.name) ?? 0, byName)),
    main: config.main,
    stopBudgetMs: config.stopBudgetMs,
    maxFailures: config.maxFailures,
    maxConcurrency: config.maxConcurrency,
    finalizationWaitMs: config.finalizationWaitMs,
    exitWhen: config.exitWhen,
  };
}

/** Of what was resolved: a variable with another value is another config, a comment is not. */
export function digestOf(config: UpConfig): string {
  return formatCrc(crc32c(new TextEncoder().encode(JSON.stringify(config))));
}

function expand(
  process: ProcessConfig,
  level: number,
  byName: ReadonlyMap<string, ProcessConfig>,
): ProcessPlan[] {
  const { replicas, name, dependsOn, ...rest } = process;
  const on = dependsOn.flatMap((dependency) => onEach(dependency, byName));
  const plan = { ...rest, entry: name, level, dependsOn: on };
  if (replicas === null) return [{ ...plan, name, replica: null }];
  return Array.from({ length: replicas }, (_, at) => ({
    ...plan,
    name: `${name}.${at + 1}`,
    replica: at + 1,
    launch: launchOfReplica(process.launch, at + 1),
  }));
}

function onEach(dependency: Dependency, byName: ReadonlyMap<string, ProcessConfig>): Dependency[] {
  const replicas = byName.get(dependency.on)?.replicas ?? null;
  if (replicas === null) return [dependency];
  return Array.from({ length: replicas }, (_, at) => ({ ...dependency, on: `${dependency.on}.${at + 1}` }));
}

function launchOfReplica(launch: Launch, replica: number): Launch {
  const envSet = { ...launch.envSet, GSUP_REPLICA: String(replica) };
  if (launch.output === undefined) return { ...launch, envSet };
  return { ...launch, envSet, output: outputOfReplica(launch.output, replica) };
}

/** `web.log` → `web.2.log`: two writers of one file would put it aside behind each other's back. */
function outputOfReplica(output: Output, replica: number): Output {
  if (output.driver !== 'file') return output;
  return { ...output, path: output.path.replace(/(\.[^./]*)?$/, (ending) => `.${replica}${ending}`) };
}
