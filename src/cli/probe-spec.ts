/** What `--ready` and `--health` say. Pure; src/init/probe.c refuses the same. */
import { parseDuration } from '../config/duration.ts';
import {
  DEFAULT_HEALTH,
  DEFAULT_READY_MS,
  type HealthPlan,
  type Probe,
  type ReadyPlan,
} from '../supervisor/plan.ts';

/** `watchdogMs` as in a config: how often the command says that it lives. */
export interface HealthSpec {
  readonly health: HealthPlan | null;
  readonly watchdogMs: number | null;
}

/** undefined: it is none. */
export function parseReady(text: string): ReadyPlan | undefined {
  const said = readSettings(text, READY_SETTINGS);
  const probe = said && readyProbe(said.head);
  return probe && { probe, timeoutMs: DEFAULT_READY_MS, ...said.set };
}

/** undefined: it is none. */
export function parseHealth(text: string): HealthSpec | undefined {
  const said = readSettings(text, HEALTH_SETTINGS);
  if (said?.head.startsWith('watchdog:')) return watchdogOf(said);
  const probe = said && askedProbe(said.head);
  return probe && { health: { probe, ...DEFAULT_HEALTH, ...said.set }, watchdogMs: null };
}

/** `5432`, `host:5432` or `[::1]:5432`. A port alone is at 127.0.0.1: what is asked is whether this process listens. */
export function parseTcpAddress(text: string): Extract<Probe, { kind: 'tcp' }> | undefined {
  const match = /^(?:(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]/ \t\r\n\f\v]+)):)?([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? 0);
  if (match === null || port < 1 || port > 65535) return undefined;
  return { kind: 'tcp', host: match[1] ?? match[2] ?? '127.0.0.1', port };
}

/** What a setting of this name changes; undefined: it cannot have this value. */
type SettingTable<T> = Readonly<Record<string, (value: string) => Partial<T> | undefined>>;

const READY_SETTINGS: SettingTable<ReadyPlan> = {
  timeout: (text) => when(waitOf(text), (timeoutMs) => ({ timeoutMs })),
};

const HEALTH_SETTINGS: SettingTable<HealthPlan> = {
  interval: (text) => when(positiveOf(text), (intervalMs) => ({ intervalMs })),
  // Not `forever`: a probe without end would be the last one.
  timeout: (text) => when(positiveOf(text), (timeoutMs) => ({ timeoutMs })),
  retries: (text) => when(wholeOf(text, 1, 1000), (retries) => ({ retries })),
  start_period: (text) => when(durationOf(text), (startPeriodMs) => ({ startPeriodMs })),
  start_interval: (text) => when(positiveOf(text), (startIntervalMs) => ({ startIntervalMs })),
  on_unhealthy: (text) => when(reactionOf(text), (onUnhealthy) => ({ onUnhealthy })),
};

interface Said<T> {
  readonly head: string;
  readonly set: Partial<T>;
  /** How often something was set. */
  readonly settings: number;
}

/**
 * Settings stand at the end and are known by their names: any other comma belongs to the command, the URL or the pattern.
 * The last one of a name wins. undefined: one of them has a value that it cannot have.
 */
function readSettings<T>(text: string, table: SettingTable<T>): Said<T> | undefined {
  let said: Said<T> = { head: text, set: {}, settings: 0 };
  for (;;) {
    const [, head = '', key = '', value = ''] = /^(.*),([a-z_]+)=([^,]*)$/s.exec(said.head) ?? [];
    if (!Object.hasOwn(table, key)) return said;
    const set = table[key]?.(value);
    if (set === undefined) return undefined;
    said = { head, set: { ...set, ...said.set }, settings: said.settings + 1 };
  }
}

function when<T, U>(value: T | undefined, make: (value: T) => U): U | undefined {
  return value === undefined ? undefined : make(value);
}

function durationOf(text: string): number | undefined {
  const duration = parseDuration(text);
  return duration.kind === 'duration' ? duration.ms : undefined;
}

function positiveOf(text: string): number | undefined {
  return durationOf(text) || undefined;
}

function waitOf(text: string): number | null | undefined {
  return parseDuration(text).kind === 'forever' ? null : positiveOf(text);
}

function wholeOf(text: string, min: number, max: number): number | undefined {
  const whole = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
  return whole >= min && whole <= max ? whole : undefined;
}

function reactionOf(text: string): HealthPlan['onUnhealthy'] | undefined {
  return (['restart', 'stop', 'ignore'] as const).find((one) => one === text);
}

function readyProbe(head: string): ReadyPlan['probe'] | undefined {
  if (head === 'notify') return { kind: 'notify' };
  if (head.startsWith('log:')) return head.length > 4 ? { kind: 'log', pattern: head.slice(4) } : undefined;
  if (!head.startsWith('fd:')) return askedProbe(head);
  return when(wholeOf(head.slice(3), 3, 255), (fd) => ({ kind: 'fd', fd }));
}

/** A URL may stand alone: it begins with `http:` anyway. */
function askedProbe(head: string): Probe | undefined {
  if (head.startsWith('tcp:')) return parseTcpAddress(head.slice(4));
  if (head.startsWith('exec:'))
    return head.length > 5 ? { kind: 'exec', command: { shell: head.slice(5) } } : undefined;
  const url = [head, head.replace(/^http:/, '')].find((text) => /^https?:\/\/./s.test(text));
  return url === undefined ? undefined : { kind: 'http', url };
}

/** It is not asked, so nothing is to be set. */
function watchdogOf({ head, settings }: Said<HealthPlan>): HealthSpec | undefined {
  const watchdogMs = positiveOf(head.slice('watchdog:'.length));
  return watchdogMs === undefined || settings > 0 ? undefined : { health: null, watchdogMs };
}
