import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { isForRun, isForUp } from '../../src/cli/option-row.ts';
import { OPTION_ROWS } from '../../src/cli/options.ts';
import { complaintLines } from '../../src/cli/output.ts';
import { VERSION } from '../../src/cli/version.gen.ts';
import { COMMAND_EXIT_CODES, OWN_EXIT_CODES } from '../../src/signals/exit-codes.ts';
import { shown } from './shown.ts';

const gsup = async (line: string, env: Record<string, string> = {}) =>
  ask(
    line.split(' ').filter((word) => word !== ''),
    env,
  );

const ask = async (argv: readonly string[], env: Record<string, string> = {}) =>
  shown(await dispatch(argv, env));

describe('dispatch', () => {
  it('prints the version', async () => {
    expect(await gsup('--version')).toEqual({ exitCode: 0, stdout: `${VERSION}\n` });
    expect(await gsup('run -V')).toEqual(await gsup('--version'));
  });

  it('prints help on stdout when asked for it, on stderr with 64 when a command is missing', async () => {
    const { stdout } = await gsup('--help');
    expect(await gsup('')).toEqual({ exitCode: 64, stderr: stdout });
    expect(await gsup('help')).toEqual({ exitCode: 0, stdout });
    for (const row of COMMANDS) expect(stdout).toContain(row.usage);
    for (const { code, meaning } of [...COMMAND_EXIT_CODES, ...OWN_EXIT_CODES]) {
      expect(stdout).toContain(`  ${code.padEnd(7)}${meaning}`);
    }
  });

  it.each(COMMANDS.map((row) => row.name))('has help for %s in every spelling', async (name) => {
    const { stdout, exitCode } = await gsup(`${name} --help`);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: gsup ${name}`);
    expect(await gsup(`${name} -h`)).toEqual({ exitCode: 0, stdout });
    expect(await gsup(`help ${name}`)).toEqual({ exitCode: 0, stdout });
  });

  it('leaves the options of a command to the command', async () => {
    for (const line of ['check app --help', 'check -- app -h', 'check run app -V']) {
      expect((await gsup(line)).stdout).toMatch(/^app: does not run again/);
    }
    expect(await gsup('check -V app')).toEqual(await gsup('--version'));
    expect((await gsup('check run -h app')).stdout).toContain('Usage: gsup check');
  });

  it('names every option in the help of run, within 100 columns', async () => {
    const { stdout = '' } = await gsup('run --help');
    for (const row of OPTION_ROWS.filter(isForRun)) expect(stdout).toContain(`--${row.long}`);
    expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([]);
  });

  it('names every option of up in its help, and no other', async () => {
    const { stdout = '' } = await gsup('up --help');
    for (const row of OPTION_ROWS.filter(isForUp)) expect(stdout).toContain(`--${row.long}`);
    expect(stdout).not.toContain('--grace');
  });

  it.each([
    ['chek x', 'cannot run "chek": there is no such command; did you mean gsup check?'],
    [
      'node server.js',
      'cannot run "node": there is no such command; to supervise a program write gsup run -- node',
    ],
    ['up --grace 5s', 'cannot use "--grace": there is no such option; see gsup up --help'],
    ['checkpoint', 'cannot run "checkpoint": verify, dump or compact is needed, got nothing'],
    [
      'checkpoint verfy',
      'cannot run "checkpoint verfy": there is no such command; did you mean gsup checkpoint verify?',
    ],
    [
      'checkpoint dump a b',
      'cannot run "checkpoint dump a b": fewer words are needed; see gsup checkpoint --help',
    ],
    ['checkpoint dump --nam x', 'cannot use "--nam": there is no such option; did you mean --name?'],
    ['install-init --to x', 'cannot use "--to": there is no such option; see gsup install-init --help'],
    ['checkpoint dump --state-dir', 'cannot use "--state-dir": a path is needed, got nothing'],
    [
      'checkpoint dump --log-level loud',
      'cannot use "--log-level": debug, info, warn or error is needed, got "loud"',
    ],
    [
      'run --grace 5 x',
      'cannot use "--grace": a duration like 500ms, 8s, 1m30s, 0 or forever is needed, got "5"; write 5s',
    ],
    ['--grace 5s run x', 'cannot use "--grace": there is no such option; see gsup run --help'],
    ['check --grce 5s x', 'cannot use "--grce": there is no such option; did you mean --grace?'],
    ['check run', 'cannot run nothing: a command is needed, got none; write gsup run [options] -- CMD'],
    [
      'check --for podman',
      'cannot use "--for": docker, compose, kubernetes, ecs or systemd is needed, got "podman"',
    ],
    [
      'check --for x run y',
      'cannot use "--for": docker, compose, kubernetes, ecs or systemd is needed, got "x"',
    ],
    ['check --for', 'cannot use "--for": WHAT is needed, got nothing'],
    ['check -f', 'cannot use "--file": FILE is needed, got nothing'],
    ['check -f x run y', 'cannot use "-f" together with "y": a config file is checked, or a command'],
    ['schema x', 'cannot run "schema x": fewer words are needed; see gsup schema --help'],
  ])('%j exits 64 with a sentence', async (line, message) => {
    expect(await gsup(line)).toEqual({ exitCode: 64, stderr: `gsup: ${message}\n` });
  });

  it('quotes what was typed', async () => {
    const { stderr } = await ask(['\u001b[2J\n']);
    expect(stderr).toMatch(/^[\x20-\x7e]+\n$/);
  });

  it('knows the form of its complaints, also of those about wrong options', async () => {
    for (const line of [
      'run -g 5 x',
      'check -g 5 x',
      'check --env-file /none x',
      'checkpoint verify /none',
    ]) {
      expect(await dispatch(['--log-format', 'json', ...line.split(' ')], {})).toMatchObject({
        logFormat: 'json',
        complaints: [{ level: 'error' }],
      });
    }
  });

  it('complains in JSON where there is no terminal', () => {
    const [line = ''] = complaintLines([{ level: 'error', sentence: 'cannot "x"\n' }], 'json').split('\n');
    expect(JSON.parse(line)).toMatchObject({ level: 50, name: 'gsup', msg: 'cannot "x"\\x0a' });
  });

  it('reads the environment of other commands', async () => {
    expect(await gsup('checkpoint dump', { GSUP_NAME: '.x' })).toMatchObject({ exitCode: 64 });
  });
});

describe('check', () => {
  it('prints the ladder and the worst case', async () => {
    expect(await gsup('check --hold 1s -g 5s -- node server.js')).toEqual({
      exitCode: 0,
      stdout: `node: does not run again
supervisor: not needed, init carries this out by itself
stop:
  1  wait for it to end by itself, wait up to 1s
  2  the signal received to the group, wait up to 5s
  3  SIGKILL to the group and whatever is left of the tree
worst case: 6s
`,
      stderr: '',
    });
  });

  it('takes the word run, and common options before it', async () => {
    const plain = await gsup('check -g 5s --name a x');
    expect(await gsup('--name a check run -g 5s x')).toEqual(plain);
    expect(plain.stdout).toMatch(/^a: /);
  });

  it('S20 shows what the budget cuts, and warns', async () => {
    const { stdout, stderr, exitCode } = await gsup(
      'check --rung exec:./d:5s --rung TERM:20s --stop-budget 10s x',
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      '  1  run ./d, wait up to 1.8s (cut by 3.2s)\n  2  SIGTERM to the group, wait up to 7.2s',
    );
    expect(stdout).toContain('supervisor: present\n');
    expect(stderr).toMatch(/^gsup: warning: the ladder may take 25s/);
  });

  it("warns of more than Docker's 10 s", async () => {
    expect((await gsup('check -g 12s x')).stderr).toContain('docker run --stop-timeout 14');
  });

  it('shows nothing of a command that could move the cursor', async () => {
    const { stdout } =
      (await dispatch(['check', '--pre-stop', '\u001b[2J\n', '--post-stop', '\u001b', 'x\u001b'], {})) ?? {};
    expect(stdout).toMatch(/^[\x20-\x7e\n]+$/);
    expect(stdout).toContain('run \\x1b[2J\\x0a');
  });

  it('names a file that cannot be read', async () => {
    expect(await gsup('check --env-file /none x')).toEqual({
      exitCode: 64,
      stderr: 'gsup: cannot read "/none": the file of --env-file must be readable, got ENOENT\n',
    });
  });
});
