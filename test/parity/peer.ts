/** One case tried on the original and on gsup under its name, and what both did as lines that can be compared. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BINARY, type Gsup, type Ring, type Settings } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';

export type Peer = 'tini' | 'dumb-init';
export interface Case {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: Settings;
  /** What happens while it runs. */
  readonly meanwhile?: (init: Gsup, trial: Trial) => Promise<void>;
  readonly rings?: readonly Ring[];
}

/** The place of the original, or null. */
export function original(peer: Peer | 'catatonit'): string | null {
  const found = spawnSync('sh', ['-c', `command -v ${peer}`], { encoding: 'utf8' }).stdout.trim();
  return found !== '' && existsSync(found) ? found : null;
}

/** What says who it is, and differs on purpose: README and docs/how-to/move.md have the list. */
function withoutIdentity(text: string, folder: string): string {
  return (
    text
      .replaceAll(new RegExp(`${folder}/(original|gsup)/`, 'g'), '')
      .replaceAll(/ - gsup [\d.]+| \(gsup [\d.]+\)/g, '')
      .replaceAll(/(\[\w+ *tini) \(\d+\)\]/g, '$1]')
      .replaceAll(/"pid":(\d+),"session":(\d+),"group":(\d+)/g, (_, pid, session, group) =>
        [
          pid === session ? 'leads its session' : 'no session',
          pid === group ? 'leads its group' : 'no group',
        ].join(),
      )
      .replaceAll(/socket:\[\d+\]/g, 'socket')
      .replaceAll(/(pid:? '|pid=|PID (?!1 |1\.))\d+/g, '$1N')
      .replaceAll(/ pid \d+ uid (\d+)(?= at \d+$)/gm, ' uid $1')
      .replaceAll(/ at \d+$/gm, '')
      // tini looks once a second, gsup when somebody has ended.
      .replaceAll(/^\[TRACE tini\] No child to reap\r?\n/gm, '')
      // Who dies of a signal may be reaped with that, before SIGCHLD is read.
      .replaceAll(/^\[DEBUG tini\] Received SIGCHLD\r?\n/gm, '')
  );
}

/** Of processes that write to one place only the order of each is certain. */
const OF_THE_CHILD = /setsid complete|attach to controlling tty|^\[dumb-init\] [^ ]*: /;
function byWriter(text: string): Readonly<Record<'init' | 'child' | 'reporter', string[]>> {
  const lines = text.replaceAll('\r', '').split('\n');
  const isChild = (line: string) => OF_THE_CHILD.test(line) || !/^\[/.test(line);
  const isReport = (line: string) => line === 'ready' || line.startsWith('got ');
  return {
    init: lines.filter((line) => !isChild(line)),
    child: lines.filter((line) => isChild(line) && !isReport(line)),
    reporter: lines.filter(isReport),
  };
}

async function observe(trial: Trial, program: string, { words, env, settings, meanwhile }: Case) {
  const init = await trial.start([], [], {
    ...settings,
    ...(env && { env }),
    instead: [program, ...words],
    brokenLogs: true,
    mayLeave: true,
  });
  await meanwhile?.(init, trial);
  const { code, signal } = await init.ended();
  const [stdout, stderr] = [init.stdout, init.stderr].map((output) =>
    byWriter(withoutIdentity(output.text(), trial.folder)),
  );
  return { code, signal, stdout, stderr };
}

/** Both under one path but for its last folder, since they say how they were called. */
export function twins(trial: Trial, peer: Peer, place: string): { original: string; gsup: string } {
  const put = (folder: string, target: string) => {
    mkdirSync(join(trial.folder, folder));
    symlinkSync(target, join(trial.folder, folder, peer));
    return join(trial.folder, folder, peer);
  };
  return { original: put('original', place), gsup: put('gsup', BINARY) };
}

/** gsup does, line by line, what the original does. */
export function parity(peer: Peer, title: string, wanted: Case): void {
  const place = original(peer);
  if (place === null) {
    test.skip(`${peer}: ${title}: it is not installed`, () => {});
    return;
  }
  scenario(
    `${peer}: ${title}`,
    { modes: ['order'], ...(wanted.rings && { rings: wanted.rings }) },
    async (trial) => {
      const both = twins(trial, peer, place);
      const theirs = await observe(trial, both.original, wanted);
      expect(await observe(trial, both.gsup, wanted)).toEqual(theirs);
    },
  );
}
