// Colours are for terminals, and only where they are wanted: https://no-color.org
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { answered } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import { BINARY } from '../support/gsup.ts';
import { atTerminal, openTmux } from '../support/tmux.ts';

const SLEEPS = { command: ['sleep', '1000'] };
const SHOP = { processes: { web: SLEEPS, db: SLEEPS } };
/** Red, green, yellow, ... as a foreground. Reversed and bold are no colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins a colour
const COLOUR = /\u001b\[(?:\d+;)*3[1-7](?:;\d+)*m/;

for (const [title, env, has] of [
  ['in colours', {}, true],
  ['without colours where NO_COLOR is set', { NO_COLOR: '1' }, false],
] as const) {
  atTerminal(`status and top are drawn ${title}`, async (trial) => {
    const gsup = await trial.up(SHOP);
    await answered(gsup);
    const tmux = openTmux(80, 24, { ...env, GSUP: BINARY, GSUP_STATE_DIR: dirname(gsup.folder) });
    trial.afterwards(tmux.close);
    await tmux.line(/PROMPT>/);
    tmux.keys('clear; $GSUP status', 'Enter');
    await tmux.line(/^web +running/);
    expect(COLOUR.test(tmux.painted())).toBe(has);
    tmux.keys('clear; $GSUP top', 'Enter');
    await tmux.line(/^\? help/);
    await tmux.line(/^db +running/);
    expect(COLOUR.test(tmux.painted())).toBe(has);
    tmux.keys('q');
    await gsupCommand(gsup, 'shutdown', '--wait');
    await gsup.ended();
  });

  atTerminal(`up speaks ${title}`, async (trial) => {
    const [state, file] = [join(trial.folder, 'state'), join(trial.folder, 'gsup.json')];
    const web = { command: [fixture('ignores-sigterm')], stop: { grace: '600s' } };
    writeFileSync(file, JSON.stringify({ processes: { web } }));
    const folder = join(state, 't');
    const tmux = openTmux(160, 24, { ...env, GSUP: BINARY, GSUP_STATE_DIR: state, FILE: file });
    trial.afterwards(tmux.close);
    trial.afterwards(async () => void (await gsupCommand({ folder }, 'shutdown', '--now', '--wait')));
    await tmux.line(/PROMPT>/);
    tmux.keys('$GSUP up --name t -f $FILE; echo "ended with $?"', 'Enter');
    await tmux.line(/web \| ready/);
    await gsupCommand({ folder }, 'shutdown', '--now', '--wait');
    await tmux.line(/^ended with 137/);
    await tmux.line(/web#1: SIGKILL/);
    expect(COLOUR.test(tmux.painted())).toBe(has);
  });
}
