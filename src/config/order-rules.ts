/** What dependencies must obey: the rules of Thermos, and no circles. Works on entries. */
import { nearest } from '../cli/messages.ts';
import type { Findings } from './findings.ts';
import type { Path } from './problem.ts';
import type { ProcessConfig, UpConfig } from './up-config.ts';

/** `doubtful`: of these something was left out that could not be read, so nothing is concluded from what they lack. */
export function checkOrder(config: UpConfig, findings: Findings, doubtful: ReadonlySet<string>): void {
  const byName = new Map(config.processes.map((process) => [process.name, process]));
  for (const process of config.processes) {
    for (const [at, { on, condition }] of process.dependsOn.entries()) {
      const path = dependencyPath(process.name, on, at, findings);
      const other = byName.get(on);
      const unsure = other !== undefined && (doubtful.has(process.name) || doubtful.has(on));
      const rule = unsure ? undefined : dependencyRule(process, on, condition, other);
      if (rule !== undefined)
        findings.refuse(path, rule, byName.has(on) ? '' : nearHint(on, [...byName.keys()]));
    }
  }
  for (const circle of circlesOf(config.processes)) {
    const [first = '', second = ''] = circle;
    const at = byName.get(first)?.dependsOn.findIndex(({ on }) => on === second) ?? 0;
    findings.refuse(
      dependencyPath(first, second, at, findings),
      `a process cannot wait for itself, got ${circle.join(' -> ')}`,
    );
  }
  if (!doubtful.has(config.main ?? '')) checkMain(config, byName, findings);
  if (doubtful.size === 0) checkRoles(config, findings);
  checkSharing(config, findings);
}

/** As a mapping, or at its place in a list. */
function dependencyPath(process: string, on: string, at: number, findings: Findings): Path {
  const path = ['processes', process, 'depends_on'];
  return findings.has([...path, on]) ? [...path, on] : [...path, at];
}

export function nearHint(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near === undefined ? '' : `did you mean ${near}?`;
}

function dependencyRule(
  process: ProcessConfig,
  on: string,
  condition: string,
  other: ProcessConfig | undefined,
): string | undefined {
  if (other === undefined) return `there is no process "${on}"`;
  if (process.role === 'final' && other.role !== 'final')
    return `a final process depends only on final ones, and "${on}" is none`;
  if (process.role !== 'final' && other.role === 'final')
    return `"${on}" is final: it runs when all others have ended`;
  if (condition === 'healthy' && other.health === null && other.watchdogMs === null)
    return `"${on}" has no healthcheck, so it never becomes healthy`;
  if (condition !== 'completed_successfully') return undefined;
  if (other.daemon || other.restart.policy === 'always')
    return `"${on}" is run again whenever it ends, so it never completes`;
  if (other.role === 'ephemeral' && process.role !== 'ephemeral')
    return `"${on}" is ephemeral: nobody but ephemeral processes can wait for its completion`;
  return undefined;
}

/** Each circle once, from the process that comes first in the file. `a -> b -> a`: a depends on b. */
function circlesOf(processes: readonly ProcessConfig[]): string[][] {
  const byName = new Map(processes.map((process) => [process.name, process]));
  const done = new Set<string>();
  const circles: string[][] = [];
  for (const { name } of processes) {
    // Without recursion: a chain may be as long as the list of processes.
    const path: string[] = [];
    const stack: Array<{ readonly name: string; next: number }> = [];
    const enter = (one: string) => {
      path.push(one);
      stack.push({ name: one, next: 0 });
    };
    if (!done.has(name)) enter(name);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const on = byName.get(top.name)?.dependsOn[top.next++]?.on;
      if (on === undefined) {
        done.add(top.name);
        path.pop();
        stack.pop();
      } else if (path.includes(on)) circles.push([...path.slice(path.indexOf(on)), on]);
      else if (!done.has(on) && byName.has(on)) enter(on);
    }
  }
  return circles;
}

function checkMain({ main }: UpConfig, byName: ReadonlyMap<string, ProcessConfig>, findings: Findings): void {
  if (main === null) return;
  const process = byName.get(main);
  if (process === undefined)
    findings.refuse(['main'], `there is no process "${main}"`, nearHint(main, [...byName.keys()]));
  else if (process.role !== 'ordinary')
    findings.refuse(['main'], `"${main}" is ${process.role}, and cannot be the main process`);
  else if (process.replicas !== null)
    findings.refuse(['main'], `"${main}" has replicas, and cannot be the main process`);
}

function checkRoles({ processes }: UpConfig, findings: Findings): void {
  if (processes.length === 0) findings.refuse(['processes'], 'at least one process is needed, got none');
  else if (processes.every(({ role }) => role !== 'ordinary'))
    findings.refuse(
      ['processes'],
      'at least one process is needed that is neither ephemeral nor final, got none',
    );
}

/** What only one can have. */
function checkSharing({ processes }: UpConfig, findings: Findings): void {
  const readers = processes.filter(({ launch, replicas }) => !launch.stdinNull && (replicas ?? 1) > 0);
  const [first] = readers;
  for (const { name, replicas } of readers) {
    const key = findings.has(['processes', name, 'stdin']) ? 'stdin' : 'stdin_open';
    if (name !== first?.name)
      findings.refuse(
        ['processes', name, key],
        `one process can have standard input, got "${first?.name}" too`,
      );
    else if ((replicas ?? 1) > 1)
      findings.refuse(['processes', name, key], 'one process can have standard input, got replicas');
  }
  const names = new Map<string, string>();
  for (const { name, replicas } of processes) {
    for (const own of replicas === null
      ? [name]
      : Array.from({ length: replicas }, (_, at) => `${name}.${at + 1}`)) {
      const other = names.get(own);
      if (other !== undefined) findings.refuse(['processes', name], `"${own}" is a name of "${other}" too`);
      names.set(own, name);
    }
  }
  checkLogFiles(processes, findings);
}

function checkLogFiles(processes: readonly ProcessConfig[], findings: Findings): void {
  const writers = new Map<string, string>();
  for (const { name, launch } of processes) {
    if (launch.output?.driver !== 'file' || launch.output.path === '') continue;
    const other = writers.get(launch.output.path);
    const own = ['processes', name, 'logging', 'path'];
    if (other !== undefined)
      findings.refuse(
        findings.has(own) ? own : ['logging', 'path'],
        `"${other}" and "${name}" cannot write the same file`,
      );
    writers.set(launch.output.path, name);
  }
}
