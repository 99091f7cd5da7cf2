/** What is run of the entries of a config: each once, or as many times as it has replicas. Pure. */
import type { Dependency, EntryPlan, ProcessPlan } from './plan.ts';
import type { Launch, Output } from './vocabulary.ts';

export function expandEntries(entries: readonly EntryPlan[]): ProcessPlan[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return entries.flatMap((entry) => expand(entry, byName));
}

type ByName = ReadonlyMap<string, EntryPlan>;

function expand(entry: EntryPlan, byName: ByName): ProcessPlan[] {
  const { replicas, declared: _, name, dependsOn, ...rest } = entry;
  const on = dependsOn.flatMap((dependency) => onEach(dependency, byName));
  const plan = { ...rest, entry: name, dependsOn: on };
  if (replicas === null) return [{ ...plan, name, replica: null }];
  return Array.from({ length: replicas }, (_, at) => ({
    ...plan,
    name: `${name}.${at + 1}`,
    replica: at + 1,
    launch: launchOfReplica(entry.launch, at + 1),
  }));
}

function onEach(dependency: Dependency, byName: ByName): Dependency[] {
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
