// Real containers for tests: started, watched, stopped and removed through podman, as a user of Docker would. What a
// container did is read from podman's log file and from gsup's own records, never guessed from how long something took.
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What is mounted at /opt/gsup/dist; another build, one with sanitizers say, can stand in. */
const dist = process.env.GSUP_TEST_DIST ?? path.join(root, 'dist');
const conf = fileURLToPath(new URL('containers.conf', import.meta.url));
export const podmanEnv = { ...process.env, CONTAINERS_CONF: conf, STORAGE_DRIVER: 'overlay' };

export const gsup = '/opt/gsup/dist/native/gsup';
export const baseImage = 'localhost/gsup-test-base';
export const programsImage = 'localhost/gsup-test-programs';

/** How a scenario is run: by init's order alone, and with a supervisor that decides. */
export const bothWays = [
  { way: 'init alone', options: [] },
  { way: 'supervisor present', options: ['--stay'] },
] as const;

export type Output = { code: number | null; stdout: string; stderr: string };
export type Line = { at: string; stream: string; text: string };
export type LoggedRecord = { type: string; seq: number; monoNs: bigint } & Record<string, unknown>;
export type Ending = { code: number; oomKilled: boolean };

/** Runs a program to its end; it is killed when it takes longer than a hung container may hold up the tests. */
export function runToEnd(command: string, args: readonly string[], timeoutMs = 50_000): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: podmanEnv,
      cwd: root,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Like `podman ARGS`; throws what podman said when it fails. */
export async function podman(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd('podman', args);
  if (code !== 0) throw new Error(`cannot podman ${args.join(' ')}: ${stderr.trim()}`);
  return stdout.trim();
}

/**
 * Makes the images, once per machine. Answers why the ring cannot run here, or undefined; says it, so that no skip is
 * silent. GSUP_REQUIRE_CONTAINERS makes it an error instead.
 */
export async function whyNoContainers(kind?: 'programs'): Promise<string | undefined> {
  const script = path.join(root, 'scripts/container-base.sh');
  const made = await runToEnd('sh', kind === undefined ? [script] : [script, `--${kind}`], 600_000);
  if (made.code === 0) {
    await removeLeftovers();
    return undefined;
  }
  const reason = made.stderr.trim();
  if (made.code !== 77 || process.env.GSUP_REQUIRE_CONTAINERS) throw new Error(reason);
  console.warn(reason);
  return reason;
}

const prefix = 'gsup-test-';
let count = 0;

export function freshName(): string {
  count += 1;
  return `${prefix}${process.pid}-${count}`;
}

/** Containers of test processes that did not live to remove them. The name has the pid of the process. */
async function removeLeftovers(): Promise<void> {
  const names = (await podman('ps', '-a', '--filter', `name=^${prefix}`, '--format', '{{.Names}}')).split(
    '\n',
  );
  const dead = names.filter((name) => name.startsWith(prefix) && !isAlive(Number(name.split('-')[2])));
  if (dead.length > 0) await podman('rm', '-f', '-t', '0', ...dead);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export type Start = {
  /** Options of `podman run`. */
  podman?: readonly string[];
  image?: string;
  /** Options of `gsup run`. */
  options?: readonly string[];
  /** All arguments for an image that has gsup in itself; otherwise the build is mounted and its `run` started. */
  args?: readonly string[];
  command?: readonly string[];
};

export type Container = ReturnType<typeof handle>;

/** Starts a container, detached, with gsup as PID 1, and removes it when the test has ended, however it ended. */
export async function start(what: Start): Promise<Container> {
  const name = freshName();
  onTestFinished(async () => {
    await runToEnd('podman', ['rm', '-f', '-t', '0', name]);
  });
  const image = what.image ?? baseImage;
  const own = what.args === undefined ? mountGsup : [];
  const args = what.args ?? [gsup, 'run', ...(what.options ?? []), '--', ...(what.command ?? [])];
  await podman('run', '-d', '--name', name, ...own, ...(what.podman ?? []), image, ...args);
  const logPath = await podman('inspect', '-f', '{{.HostConfig.LogConfig.Path}}', name);
  return handle(name, logPath);
}

export const mountGsup = [
  ...['-v', `${dist}:/opt/gsup/dist:ro`],
  ...['-v', `${path.join(root, 'package.json')}:/opt/gsup/package.json:ro`],
];

function handle(name: string, logPath: string) {
  async function lines(): Promise<Line[]> {
    return parseLog(await readFile(logPath, 'utf8'));
  }
  async function text(): Promise<string> {
    return (await lines()).map((line) => line.text).join('\n');
  }
  async function inspect(format: string): Promise<string> {
    return podman('inspect', '-f', format, name);
  }
  return {
    name,
    lines,
    text,
    inspect,
    /** Waits until a line of the log, of either stream, matches. `after`: how many lines are old. */
    async waitForLine(pattern: RegExp, after = 0): Promise<Line> {
      let asked = 0;
      return waitFor(
        async () => {
          asked += 1;
          // Looked at before the log, so that what was written last is not missed.
          const over = asked % 20 === 0 && (await inspect('{{.State.Running}}')) === 'false';
          const line = (await lines()).slice(after).find((candidate) => pattern.test(candidate.text));
          if (over && line === undefined) throw new Error(`no line matched ${pattern}:\n${await text()}`);
          return line;
        },
        async () => `no line matches ${pattern} in the log of ${name}:\n${await text()}`,
      );
    },
    /** What `docker stop -t SECONDS` does. */
    stop: (seconds: number) => podman('stop', '-t', String(seconds), name),
    kill: (signal: string) => podman('kill', '-s', signal, name),
    restart: () => podman('start', name),
    exec: (...command: string[]) => podman('exec', name, ...command),
    /** Waits for the end. */
    async ended(): Promise<Ending> {
      await podman('wait', '--interval', '20ms', name);
      const [code, oomKilled] = (await inspect('{{.State.ExitCode}} {{.State.OOMKilled}}')).split(' ');
      return { code: Number(code), oomKilled: oomKilled === 'true' };
    },
    /** Where the container's files are seen from here, also when it has ended; without its tmpfs mounts. */
    files: () => podman('mount', name),
    /** gsup's records, both files of every task in a state directory of the container. */
    async records(stateDir = '/run/gsup'): Promise<LoggedRecord[]> {
      return readRecords(path.join(await podman('mount', name), stateDir));
    },
  };
}

/** Podman's k8s-file format: time, stream, F or P (the line goes on in the next one), text. */
function parseLog(log: string): Line[] {
  const lines: Line[] = [];
  let open = '';
  for (const row of log.split('\n')) {
    const match = /^(\S+) (stdout|stderr) ([FP]) (.*)$/.exec(row);
    if (!match) continue;
    const [, at = '', stream = '', end, text = ''] = match;
    open += text.replace(/\r$/, '');
    if (end === 'P') continue;
    lines.push({ at, stream, text: open });
    open = '';
  }
  return lines;
}

/** Every record under a state directory, in the order of monotonic time. */
export async function readRecords(stateDir: string): Promise<LoggedRecord[]> {
  const records: LoggedRecord[] = [];
  for (const entry of await readdir(stateDir, { recursive: true })) {
    if (!/(^|\/)(init|checkpoint)\.log$/.test(entry)) continue;
    const text = await readFile(path.join(stateDir, entry), 'utf8');
    for (const line of text.split('\n').filter((row) => row !== '')) {
      const record = JSON.parse(line);
      records.push({ ...record, monoNs: BigInt(record.mono_ns) });
    }
  }
  return records.sort((a, b) => (a.monoNs < b.monoNs ? -1 : a.monoNs > b.monoNs ? 1 : a.seq - b.seq));
}

/** Asks until the answer is something; fails with what `complain` says after 20 s. */
export async function waitFor<T>(
  ask: () => Promise<T | undefined | false>,
  complain: () => Promise<string> | string,
): Promise<T> {
  const end = performance.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(await complain());
    await pause(20);
  }
}

export function recordsOf(records: readonly LoggedRecord[], type: string): LoggedRecord[] {
  return records.filter((record) => record.type === type);
}

/** The only record of its type. */
export function recordOf(records: readonly LoggedRecord[], type: string): LoggedRecord {
  const found = recordsOf(records, type);
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(
      `${found.length} records "${type}" in ${records.map((record) => record.type).join(', ')}`,
    );
  return found[0];
}

export function secondsBetween(a: LoggedRecord, b: LoggedRecord): number {
  return Number(b.monoNs - a.monoNs) / 1e9;
}
