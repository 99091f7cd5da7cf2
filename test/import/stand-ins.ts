// Imported configs with stand-ins for the programs that are not on this machine, and the story that these tell.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fixture } from '../support/fixtures.ts';
import { readIfThere } from '../support/read.ts';
import { type Case, caseFolder, gsupIn } from './cases.ts';

/** What the originals do, by their documentation. */
export interface Expected {
  /** How often each of them starts. */
  readonly starts: Readonly<Record<string, number>>;
  /** By which signal each is stopped. */
  readonly signals: Readonly<Record<string, string>>;
  /** Whose whole group, or tree, gets it. */
  readonly groups?: readonly string[];
  /** The first of each pair is gone before the second is signalled. */
  readonly stops?: ReadonlyArray<readonly [first: string, then: string]>;
  /** The second of each pair is not forked before the first has been. */
  readonly begins?: ReadonlyArray<readonly [first: string, then: string]>;
  /** They run once. */
  readonly once?: readonly string[];
}

type Json = Record<string, unknown>;

/** As the file has it: every scalar a text, so that 022 stays 022. */
export function configOf(text: string): Json & { readonly processes: Readonly<Record<string, Json>> } {
  return parse(text, { schema: 'failsafe' });
}

/** `web` of `web.2`, and `api` of `site-api-02`. */
export function programOf(entry: string): string {
  return entry.replace(/^site-/, '').replace(/[-_]\d+$/, '');
}

/** The imported config of a case with a stand-in for each command; what names users and places of an image is left out. */
export function withStandIns(text: string, story: string, once: readonly string[] = []): Json {
  const config = configOf(text);
  const processes = Object.entries(config.processes).map(([entry, process]) => [
    entry,
    standIn(entry, process, story, once),
  ]);
  return { ...config, processes: Object.fromEntries(processes) };
}

function standIn(entry: string, process: Json, story: string, once: readonly string[]): Json {
  const { user, group, working_dir, env_file, logging, ulimits, healthcheck, ready, environment, ...rest } =
    process;
  const name = programOf(entry);
  const command = once.includes(entry)
    ? `echo "${name} start" >> ${story}`
    : `exec ${fixture('stands-in')} ${name} ${story}`;
  const fd = (ready as { fd?: string } | undefined)?.fd;
  return {
    ...rest,
    command,
    ...(ready === undefined ? {} : { ready }),
    ...(fd === undefined ? {} : { environment: { NOTIFY_FD: fd } }),
    ...(healthcheck === undefined
      ? {}
      : { healthcheck: { ...(healthcheck as Json), test: ['CMD', 'true'], interval: '1s' } }),
  };
}

/** A copy of the case in which every program of a supervisord.conf is a stand-in; nothing is written but below `folder`. */
export function supervisordCopy(one: Case, folder: string, story: string): void {
  cpSync(caseFolder(one), folder, { recursive: true });
  mkdirSync(join(folder, 'api'), { recursive: true });
  for (const name of [one.file, 'conf.d/cron.ini'].map((file) => join(folder, file)).filter(existsSync)) {
    const text = readFileSync(name, 'utf8')
      .replace(/^\[eventlistener:.*\n(?:[^[\n].*\n|\n)*/gm, '')
      .replace(/^command\s*=.*(?:\n[ \t]+.*)*/gm, `command=${fixture('stands-in')} %(program_name)s ${story}`)
      .replace(/^user\s*=.*$/gm, '')
      .replace(/^(std\w+_logfile)\s*=.*$/gm, '$1=NONE')
      .replace(/^childlogdir.*$/gm, '');
    writeFileSync(name, name.endsWith(one.file) ? ownFiles(text, folder) : text);
  }
}

/** supervisord writes its log and its pid where it is told. */
function ownFiles(text: string, folder: string): string {
  const own = `[supervisord]\nnodaemon=true\nlogfile=${folder}/supervisord.log\npidfile=${folder}/supervisord.pid\n`;
  const without = text
    .replace(/^(?:logfile|pidfile|nodaemon)\w*\s*=.*$/gm, '')
    .replace(/^\[unix_http_server\][\s\S]*?(?=^\[supervisord\])/m, '');
  return /^\[supervisord\]/m.test(without) ? without.replace(/^\[supervisord\]$/m, own) : `${own}${without}`;
}

/** A copy of service directories in which every run is a stand-in, and every finish says with what it was called. */
export function servicesCopy(one: Case, folder: string, story: string): void {
  cpSync(caseFolder(one), folder, { recursive: true });
  const services = join(folder, one.file);
  for (const name of readdirSync(services).filter((entry) => statSync(join(services, entry)).isDirectory())) {
    const own = join(services, name);
    const fd = readIfThere(join(own, 'notification-fd')).trim();
    const notify = fd === '' ? '' : `NOTIFY_FD=${fd} `;
    writeFileSync(join(own, 'run'), `#!/bin/sh\n${notify}exec ${fixture('stands-in')} ${name} ${story}\n`, {
      mode: 0o755,
    });
    if (existsSync(join(own, 'finish')))
      writeFileSync(join(own, 'finish'), `#!/bin/sh\necho "${name} finish $1 $2" >> ${story}\n`, {
        mode: 0o755,
      });
  }
}

export function importIn(folder: string, file: string): string {
  const { code, stdout, stderr } = gsupIn(folder, ['import', file]);
  if (code !== 0) throw new Error(stderr.join('\n'));
  return stdout;
}

export interface Story {
  lines(): string[];
  /** All that are expected to start have said so. */
  hasBegun(): boolean;
}

export function storyAt(path: string, { starts }: Expected): Story {
  const lines = () => readIfThere(path).split('\n').filter(Boolean);
  const count = (line: string) => lines().filter((one) => one === line).length;
  return {
    lines,
    hasBegun: () => Object.entries(starts).every(([name, times]) => count(`${name} start`) >= times),
  };
}

/** What in a story is not as expected; empty: nothing. */
export function faultsOf(lines: readonly string[], expected: Expected): string[] {
  const faults: string[] = [];
  const count = (line: string) => lines.filter((one) => one === line).length;
  const started = new Set(
    lines.filter((line) => line.endsWith(' start')).map((line) => line.replace(/ start$/, '')),
  );
  for (const name of started) if (expected.starts[name] === undefined) faults.push(`${name} was started`);
  for (const [name, times] of Object.entries(expected.starts)) {
    if (count(`${name} start`) !== times)
      faults.push(`${name} has started ${count(`${name} start`)} times, not ${times}`);
    const signal = expected.signals[name];
    if (signal === undefined) continue;
    if (count(`${name} ${signal}`) !== times)
      faults.push(`${name} has got ${signal} ${count(`${name} ${signal}`)} times, not ${times}`);
    if (count(`${name} end`) !== times)
      faults.push(`${name} has come to its end ${count(`${name} end`)} times, not ${times}`);
    const children = expected.groups?.includes(name) ? times : 0;
    if (count(`${name}.child ${signal}`) !== children)
      faults.push(
        `children of ${name} have got ${signal} ${count(`${name}.child ${signal}`)} times, not ${children}`,
      );
  }
  for (const [first, then] of expected.stops ?? []) {
    const last = lines.lastIndexOf(`${first} end`);
    const next = lines.indexOf(`${then} ${expected.signals[then]}`);
    if (last < 0 || next < 0 || last > next) faults.push(`${then} was signalled before ${first} had gone`);
  }
  return faults.length === 0 ? [] : [...faults, ...lines];
}
