// ^C at `gsup up` on a real terminal: what it says, and what a second and a third one do.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { BINARY } from '../support/gsup.ts';
import { readRecords } from '../support/records.ts';
import type { Trial } from '../support/scenario.ts';
import { atTerminal, openTmux, type Tmux } from '../support/tmux.ts';
import { pause, until } from '../support/until.ts';

const STUBBORN = ['sh', '-c', 'trap "" TERM INT HUP; echo ready; while true; do sleep 0.2; done'];
const LADDER = [
  { signal: 'SIGTERM', wait: '600s' },
  { signal: 'SIGHUP', wait: '500s' },
];
const SHOP = { processes: { web: { command: STUBBORN, stop: { ladder: LADDER } } } };
/** The same signal within 250 ms counts once: whoever presses twice waits as long as fingers do. */
const BETWEEN_MS = 400;

async function upAt(trial: Trial, columns: number): Promise<{ tmux: Tmux; folder: string }> {
  const [state, file] = [join(trial.folder, 'state'), join(trial.folder, 'gsup.json')];
  writeFileSync(file, JSON.stringify(SHOP));
  const folder = join(state, 't');
  const tmux = openTmux(columns, 24, { GSUP: BINARY, GSUP_STATE_DIR: state, FILE: file });
  trial.afterwards(tmux.close);
  trial.afterwards(async () => void (await gsupCommand({ folder }, 'shutdown', '--now', '--wait')));
  await tmux.line(/PROMPT>/);
  tmux.keys('$GSUP up --name t -f $FILE; echo "ended with $?"', 'Enter');
  await tmux.line(/ready/);
  return { tmux, folder };
}

atTerminal(
  'S14 ^C stops and says what it waits for, a second one escalates, a third one kills',
  async (trial) => {
    const { tmux, folder } = await upAt(trial, 200);
    const rungs = () => readRecords(folder).filter(({ type }) => type === 'rung');
    tmux.keys('C-c');
    await tmux.line(/gsup: stop: SIGINT/);
    await tmux.line(
      /^gsup: waiting for web#1, next rung in at most (9m|10m) \d+s; asked again, next rung at once$/,
    );
    expect(rungs()).toMatchObject([{ index: 0, signal: 'SIGTERM', wait_ms: 600_000 }]);
    await pause(BETWEEN_MS);
    tmux.keys('C-c');
    await tmux.line(/gsup: web#1: asked again, next rung of the stop now$/);
    await until('the second rung', () => rungs().length === 2);
    expect(rungs()[1]).toMatchObject({ index: 1, signal: 'SIGHUP', wait_ms: 500_000 });
    await pause(BETWEEN_MS);
    tmux.keys('C-c');
    await tmux.line(/gsup: web#1: SIGKILL .* for what ignored termination: sh/);
    await tmux.line(
      /^gsup: stopped, exit code 137: web#1 took .* \(ended by SIGKILL, needed SIGKILL because a stop/,
    );
    await tmux.line(/^ended with 137$/);
  },
);
