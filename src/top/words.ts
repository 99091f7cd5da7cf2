/** What `gsup top` says of its keys. Pure. */
import type { View } from './model.ts';
import type { ScreenLine } from './screen.ts';

export const QUESTIONS = {
  stop: (process: string) => `stop ${process}? [y/N]`,
  restart: (process: string) => `restart ${process}? [y/N]`,
  drain: (process: string) => `drain ${process}? [y/N]`,
} as const;

type Row = readonly [key: string, what: string];

export const HELP: readonly Row[] = [
  ['up down', 'choose a process; also PgUp PgDn Home End g G'],
  ['s', 'stop it, with its ladder; it stays down (asks first)'],
  ['r', 'restart it (asks first)'],
  ['d', 'drain it: the first rung, and no further (asks first)'],
  ['u', 'start it'],
  ['k F9', 'send a signal, once, to its group: choose one, then Enter'],
  ['l Enter', 'its output, as it comes'],
  ['/ F4', 'only names that have this in them; Esc: all again'],
  ['< >', 'sort by another column'],
  ['C P', 'sort by CPU; the same key again turns it round'],
  ['M', 'sort by memory'],
  ['N S', 'sort by name, by state'],
  ['R T', 'sort by restarts, by uptime'],
  ['O', 'in the order of the config'],
  ['I', 'turn the order round'],
  ['Space', 'look again now'],
  ['^L', 'draw everything anew'],
  ['^Z', 'suspend'],
  ['q F10 ^C', 'leave; the task goes on'],
];

const KEY_WIDTH = 10;

export function helpLine([key, what]: Row): ScreenLine {
  return [{ text: key.padEnd(KEY_WIDTH), look: 'strong' }, { text: what }];
}

const KEYS: Readonly<Record<'table' | 'signals' | 'logs' | 'help', readonly string[]>> = {
  table: [
    '? help',
    'q quit',
    's stop',
    'r restart',
    'k signal',
    'd drain',
    'l logs',
    'u start',
    '/ filter',
    '<> sort',
  ],
  signals: ['Enter sends it', 'Esc does not'],
  logs: ['q back', 'up down scroll', 'End follow'],
  help: ['any key: back'],
};

/** As many as there is room for, whole. */
export function keysLine(view: Exclude<View['kind'], 'question' | 'filter'>, width: number): string {
  let line = '';
  for (const key of KEYS[view]) {
    const longer = line === '' ? key : `${line}  ${key}`;
    if (longer.length > width) break;
    line = longer;
  }
  return line;
}
