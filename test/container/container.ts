// One container with gsup as PID 1: started, watched, stopped and removed as a user of Docker would. What it did is read
// from podman's log file, from gsup's records and from the kernel, never guessed from how long something took.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Mode } from '../support/gsup.ts';
import { faultsOfLog, faultsOfStory, type Line, readRecords } from '../support/records.ts';
import { until } from '../support/until.ts';
import { baseImage, freshName, podman, root, tryPodman } from './podman.ts';

const image = baseImage;
/** Another build, one with sanitizers say, can stand in. */
const dist = process.env.GSUP_TEST_DIST ?? join(root, 'dist');
export const gsup = '/opt/gsup/dist/native/gsup';
export const mountGsup = [
  ...['-v', `${dist}:/opt/gsup/dist:ro`],
  ...['-v', `${join(root, 'package.json')}:/opt/gsup/package.json:ro`],
];

export interface Settings {
  /** Options of `podman run`. */
  readonly podman?: readonly string[];
  readonly image?: string;
  /** Names in test/fixtures that the command finds under /fixtures. */
  readonly fixtures?: readonly string[];
}

export interface LogLine {
  readonly stream: string;
  readonly text: string;
}

export type Container = Awaited<ReturnType<typeof startContainer>>;

/** `gsup run OPTIONS -- COMMAND` of this build as PID 1. */
export function start(
  mode: Mode,
  options: readonly string[],
  command: readonly string[],
  settings: Settings = {},
): Promise<Container> {
  const mounts = (settings.fixtures ?? []).map((name) => dirname(fixture(name)));
  const more = [...new Set(mounts)].flatMap((folder) => ['-v', `${folder}:/fixtures:ro`]);
  const args = [gsup, 'run', ...optionsOf(mode), ...options, '--', ...command];
  return startContainer(args, { ...settings, podman: [...mountGsup, ...more, ...(settings.podman ?? [])] });
}

export function optionsOf(mode: Mode): readonly string[] {
  return mode === 'supervisor' ? ['--stay'] : [];
}

/** A detached container; it is removed when the test has ended, however that was. */
export async function startContainer(args: readonly string[], settings: Settings) {
  const name = freshName();
  onTestFinished(async () => {
    await tryPodman('rm', '-f', '-t', '0', name);
  });
  const created = ['run', '-d', '--name', name, ...(settings.podman ?? []), settings.image ?? image];
  await podman(...created, ...args);
  const logPath = await podman('inspect', '-f', '{{.HostConfig.LogConfig.Path}}', name);
  let pid = await findPid(name);

  const lines = () => parseLog(readFileSync(logPath, 'utf8'));
  const text = () =>
    lines()
      .map((line) => line.text)
      .join('\n');
  /** The container's files as seen from here; only while it runs with its tmpfs mounts. */
  const files = async () => (existsSync(`/proc/${pid}`) ? `/proc/${pid}/root` : podman('mount', name));

  return {
    name,
    lines,
    text,
    files,
    /** Of PID 1, as seen from here. */
    pid: () => pid,
    /** The first line of either stream that matches, now or later. `from`: how many lines are older. */
    async line(pattern: RegExp, from = 0): Promise<RegExpMatchArray & { stream: string }> {
      const found = await until(
        `a line ${pattern}`,
        () => {
          // Asked before the log is read, so that what was written last is not missed.
          const over = !existsSync(`/proc/${pid}`);
          for (const line of lines().slice(from)) {
            const match = line.text.match(pattern);
            if (match) return Object.assign(match, { stream: line.stream });
          }
          if (over) throw new Error(`the container has ended without a line ${pattern}:\n${text()}`);
          return undefined;
        },
        20_000,
        text,
      );
      return found;
    },
    /** What `docker stop -t SECONDS` does. */
    stop: (seconds: number) => podman('stop', '-t', String(seconds), name),
    kill: (signal: string) => podman('kill', '-s', signal, name),
    exec: (...command: string[]) => podman('exec', name, ...command),
    async restart(): Promise<void> {
      await podman('start', name);
      pid = await findPid(name);
    },
    /** Waits for the end; the exit code of PID 1. */
    async ended(): Promise<number> {
      await podman('wait', '--interval', '20ms', name);
      return Number(await podman('inspect', '-f', '{{.State.ExitCode}}', name));
    },
    /** What a task has recorded, as one story; its folder is named as in the container: `/run/gsup/sh`. */
    async records(folder: string): Promise<Line[]> {
      const running = existsSync(`/proc/${pid}`);
      const place = join(await files(), folder);
      const records = readRecords(place);
      expect(records, `records in ${folder}\n${text()}`).not.toEqual([]);
      if (!running) {
        expect(faultsOfStory(records)).toEqual([]);
        for (const file of ['init.log', 'checkpoint.log']) expect(faultsOfLog(place, file)).toEqual([]);
      }
      return records;
    },
  };
}

async function findPid(name: string): Promise<number> {
  const find = ['inspect', '-f', '{{.State.Pid}}', name];
  const first = await tryPodman(...find);
  // It looks into the /proc of who was just there; asked again, it knows that the container has ended.
  const again = first.code !== 0 && first.stderr.includes('no such process');
  if (first.code !== 0 && !again)
    throw new Error(`podman inspect ${name}: ${first.code}: ${first.stderr.trim()}`);
  // 0 when it has ended already; nothing is at /proc/0.
  return Number(again ? await podman(...find) : first.stdout);
}

/** Podman's k8s-file format: time, stream, F or P (the line goes on in the next one), text. */
function parseLog(log: string): LogLine[] {
  const lines: LogLine[] = [];
  let open = '';
  for (const row of log.split('\n')) {
    const [, stream = '', end, text = ''] = /^\S+ (stdout|stderr) ([FP]) (.*)$/.exec(row) ?? [];
    open += text.replace(/\r$/, '');
    if (end !== 'F') continue;
    lines.push({ stream, text: open });
    open = '';
  }
  return lines;
}
