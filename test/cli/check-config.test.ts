// `gsup check` of a config file, and `gsup schema`, as a user sees them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dispatch } from '../../src/cli/dispatch.ts';
import { complaintLines } from '../../src/cli/output.ts';

const folder = mkdtempSync(join(tmpdir(), 'gsup-check-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function gsup(...words: string[]) {
  const { exitCode, stdout = '', complaints = [] } = await dispatch(words, {});
  return { exitCode, stdout, stderr: complaintLines(complaints, 'text').replaceAll(`${folder}/`, '') };
}

const SHOP = write(
  'shop.yaml',
  `name: shop
processes:
  db: {command: [db], ready: {tcp: 5432}, stop: {signal: INT, grace: 20s, post_stop: ./report}}
  cache: {command: [cache], restart: always}
  migrate: {command: ./migrate, depends_on: [db]}
  web:
    command: [web]
    replicas: 2
    depends_on: {db: {condition: ready}, cache: {condition: started}, migrate: {condition: completed_successfully}}
    stop: {hold: 1s, pre_stop: ./drain, grace: 5s}
    max_failures: 5
  mail: {command: [mail], daemon: true, min_duration: 0, autostart: false}
  upload: {command: ./upload, final: true, stop: {grace: 2s}}
`,
);

describe('gsup check -f', () => {
  it('S22 prints who starts when, each ladder, who stops when, and the worst case', async () => {
    const { exitCode, stdout, stderr } = await gsup('check', '-f', SHOP);
    expect(stdout).toBe(`task: shop, 7 processes
start:
  1  db, cache, mail on request
  2  migrate when db is ready
  3  web (2 replicas) when db is ready and cache is started and migrate has completed
  at the end  upload
db: does not run again
  1  SIGINT to the group, wait up to 20s
  2  SIGKILL to the group and whatever is left of the tree
  then  run ./report, at most 10s
cache: runs again whenever it ends, without limit, at least 5s apart
  1  the signal received to the group, wait up to 8s
  2  SIGKILL to the group and whatever is left of the tree
migrate: does not run again
  1  the signal received to the group, wait up to 8s
  2  SIGKILL to the group and whatever is left of the tree
web: runs again after failure, until it has failed 5 times, at least 5s apart
  1  wait for it to end by itself, wait up to 1s
  2  run ./drain, wait up to 10s
  3  the signal received to the group, wait up to 5s
  4  SIGKILL to the group and whatever is left of the tree
mail: runs again after success, and not after failure
  1  the signal received to the group, wait up to 8s
  2  SIGKILL to the group and whatever is left of the tree
upload: final, does not run again
  1  the signal received to the group, wait up to 2s
  2  SIGKILL to the group and whatever is left of the tree
stop:
  1  migrate, web, mail: up to 16s
  2  db, cache: up to 32s
  at the end  upload: up to 32s
worst case: 1m20s
`);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /^gsup: warning: no stop_budget is set, and a stop may take 1m20s, while Docker kills/,
    );
  });

  it('S20 warns of a ladder that is longer than the budget, and shows what is cut', async () => {
    const file = write(
      'cut.yaml',
      'stop_budget: 20s\nfinalization_wait: 4s\nprocesses:\n  a: {command: x, stop: {grace: 20s}}\n  b: {command: x, depends_on: [a], stop: {grace: 20s}}\n  f: {command: x, final: true, stop: {grace: 1s}}\n',
    );
    const { stdout, stderr } = await gsup('check', '-f', file);
    expect(stdout).toContain(
      '  1  b: up to 8.491s (cut by 11.508s)\n  2  a: up to 9.288s (cut by 10.711s)\n  at the end  f: up to 1.22s (cut by 3.779s)\nworst case: 20s, within a stop budget of 20s\n',
    );
    expect(stderr).toBe(
      'gsup: warning: a stop may take 45s, which is more than the stop budget of 20s less a reserve for killing: waits are cut\n',
    );
  });

  it('says that something may never end, and who', async () => {
    const file = write(
      'forever.yaml',
      'processes:\n  a: {command: x, stop: {grace: forever}}\n  b: {command: x, stop: {pre_stop: y, must_drain: true}}\n  c: {command: x, stop: {busy: y}}\n',
    );
    const { stdout, stderr } = await gsup('check', '-f', file);
    expect(stdout).toContain('wait forever\n');
    expect(stdout).toContain('worst case: never ends by itself\n');
    expect(stderr).toContain('a, b, c may take forever to stop, and no stop_budget is set');
  });

  it('says what happens above a limit of memory', async () => {
    const file = write('memory.yaml', 'processes: {a: {command: x, memory_limit: 300MB}}\n');
    expect((await gsup('check', '-f', file)).stdout).toContain(
      'a: does not run again, makes way for a new run above 300MB\n',
    );
  });

  it('S39 tells all problems of a bad config, and exits 78', async () => {
    const file = write('bad.yaml', 'processes:\n  web: {comand: x}\n  b: {command: x, restart: 3}\n');
    expect(await gsup('check', '-f', file)).toEqual({
      exitCode: 78,
      stdout: '',
      stderr: `gsup: bad.yaml:2:3: cannot use "processes.web.command": a command, as a text (for a shell) or a list, is needed, got nothing
gsup: bad.yaml:2:9: cannot use "processes.web.comand": there is no such key; did you mean command?
gsup: bad.yaml:3:28: cannot use "processes.b.restart": no, on-failure or always is needed, got "3"
`,
    });
  });

  it('S39 names what is no regular file, and does not wait for it', async () => {
    mkdirSync(join(folder, 'dir'));
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    const file = write('includes.yaml', 'include: [dir, fifo, none]\nprocesses: {a: {command: x}}\n');
    expect((await gsup('check', '-f', file)).stderr).toBe(
      `gsup: includes.yaml:1:11: cannot read "dir": a readable file is needed, got EISDIR
gsup: includes.yaml:1:16: cannot read "fifo": a readable file is needed, got what is no regular file
gsup: includes.yaml:1:22: cannot read "none": a readable file is needed, got ENOENT
`,
    );
  });

  it('shows nothing of a config that could move the cursor', async () => {
    const file = write('evil.yaml', 'name: "\\e[2J"\nprocesses: {"\\e[31m": {command: x, "\\r": 1}}\n');
    expect((await gsup('check', '-f', file)).stderr).toMatch(/^[\x20-\x7e\n]+$/);
    const good = write('evil2.yaml', 'processes: {a: {command: x, stop: {pre_stop: "\\e[2J\\n"}}}\n');
    expect((await gsup('check', '-f', good)).stdout).toContain('run \\x1b[2J\\x0a, wait');
  });

  it('--name says how the task is called', async () => {
    expect((await gsup('--name', 'other', 'check', '-f', SHOP)).stdout).toMatch(/^task: other,/);
  });
});

const STRANGERS =
  '# What docker exec leaves behind and ignores SIGTERM may take 13s more: add them if there can be any.\n';

/** Levels, a final, and a drain that only the budget can end. */
const AWKWARD = `finalization_wait: 10s
processes:
  db: {command: [db], stop: {grace: 20s, post_stop: ./report}}
  web: {command: [web], depends_on: [db], stop: {pre_stop: ./leave, must_drain: true, grace: 5s}}
  upload: {command: ./upload, final: true}
`;

describe('gsup check --for', () => {
  it.each([
    ['docker', /--stop-timeout (\S+)/, '-1', '92'],
    ['compose', /stop_grace_period: (\d+)s/, undefined, '92'],
    ['kubernetes', /terminationGracePeriodSeconds: (\d+)/, undefined, '92'],
    ['ecs', /"stopTimeout": (\d+)/, undefined, '92'],
    ['systemd', /TimeoutStopSec=(\S+)/, 'infinity', '92'],
  ])(
    '%s and a drain that must succeed: endless, and within a budget',
    async (what, setting, endless, bounded) => {
      const without = write('awkward.yaml', AWKWARD);
      const within = write('awkward-budget.yaml', `stop_budget: 1m30s\n${AWKWARD}`);
      const shown = async (file: string) => (await gsup('check', '-f', file, '--for', what)).stdout;
      expect(setting.exec(await shown(without))?.[1]).toBe(endless);
      expect(setting.exec(await shown(within))?.[1]).toBe(bounded);
    },
  );

  it.each([
    ['docker', 'docker run --stop-timeout 82 --stop-signal SIGTERM IMAGE\ndocker stop -t 82 CONTAINER\n'],
    ['compose', 'services:\n  app:\n    stop_signal: SIGTERM\n    stop_grace_period: 82s\n    init: false\n'],
    [
      'kubernetes',
      '# A preStop hook runs within this time, not before it: add how long it takes.\nspec:\n  terminationGracePeriodSeconds: 82\n',
    ],
    ['ecs', '"stopTimeout": 82\n'],
    [
      'systemd',
      '[Service]\n# mixed: gsup alone gets the signal, and stops the others in their order.\nKillMode=mixed\nKillSignal=SIGTERM\nTimeoutStopSec=82\n',
    ],
  ])('%s gets what the worst case needs, and 2 s to kill and to record', async (what, settings) => {
    expect((await gsup('check', '-f', SHOP, '--for', what)).stdout).toBe(settings + STRANGERS);
  });

  it('takes the budget where there is one', async () => {
    const file = write(
      'budget.yaml',
      'stop_budget: 30s\nprocesses: {a: {command: x, stop: {grace: forever}}}\n',
    );
    expect((await gsup('check', '--for=ecs', '-f', file)).stdout).toBe(`"stopTimeout": 32\n${STRANGERS}`);
  });

  it('says what ECS cannot do', async () => {
    const file = write('long.yaml', 'processes: {a: {command: x, stop: {grace: 5m}}}\n');
    expect((await gsup('check', '-f', file, '--for', 'ecs')).stdout).toBe(
      `# ECS waits for 120 s at most on Fargate, and a stop may take 302 s. Set stop_budget: 1m58s, which cuts the waits to fit.\n"stopTimeout": 120\n${STRANGERS}`,
    );
  });

  it.each([
    ['docker', '--stop-timeout -1'],
    ['compose', 'Set stop_budget'],
    ['kubernetes', 'Set stop_budget'],
    ['ecs', 'Set stop_budget'],
    ['systemd', 'TimeoutStopSec=infinity'],
  ])('%s and a stop without end', async (what, settings) => {
    const file = write('endless.yaml', 'processes: {a: {command: x, stop: {grace: forever}}}\n');
    expect((await gsup('check', '-f', file, '--for', what)).stdout).toContain(settings);
  });

  it('tells it of a command of run as well', async () => {
    expect((await gsup('check', '--for', 'ecs', 'run', '-g', '50s', '--', 'app')).stdout).toBe(
      '"stopTimeout": 52\n',
    );
  });
});

describe('gsup check --print and gsup schema', () => {
  it('prints the config as it is understood', async () => {
    const { stdout } = await gsup('check', '--print', '-f', SHOP);
    expect(stdout).toContain(
      '    stop:\n      hold: 1s\n      pre_stop: ./drain\n      pre_stop_timeout: 10s\n',
    );
    const again = write('again.yaml', stdout);
    expect((await gsup('check', '--print', '-f', again)).stdout).toBe(stdout);
    expect((await gsup('check', '-f', again)).stdout).toBe((await gsup('check', '-f', SHOP)).stdout);
  });

  it('prints the schema', async () => {
    const { stdout } = await gsup('schema');
    expect(JSON.parse(stdout)).toMatchObject({ type: 'object', required: ['processes'] });
  });
});

describe('S39 files that are no texts, or too many', () => {
  it.each([
    [
      'a config',
      'latin.yaml',
      Buffer.from('processes:\n  a: {command: [caf\xe9]}\n', 'latin1'),
      'line 2, column 20',
    ],
    ['UTF-16', 'wide.yaml', Buffer.from('\ufeffprocesses: {}', 'utf16le'), 'line 1, column 1'],
  ])('%s that is not UTF-8 is refused with the place', async (_, name, bytes, place) => {
    writeFileSync(join(folder, name), bytes);
    const { exitCode, stderr } = await gsup('check', '-f', join(folder, name));
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(new RegExp(`cannot read "${name}": .* in ${place}, which is not UTF-8`));
  });

  it('nor does an env_file become something else', async () => {
    writeFileSync(join(folder, 'latin.env'), Buffer.from('P=caf\xe9\n', 'latin1'));
    const file = write('with-env.yaml', 'processes: {a: {command: [app], env_file: latin.env}}\n');
    const { exitCode, stderr } = await gsup('check', '-f', file);
    expect(exitCode).toBe(78);
    expect(stderr).toContain('byte 0xe9 in line 1, column 6, which is not UTF-8');
  });

  it('what is UTF-8 is read, with a byte order mark and CRLF too', async () => {
    const file = write(
      'good.yaml',
      '\ufeffprocesses:\r\n  a:\r\n    command: |\r\n      echo caf\u00e9 \ufffd\r\n',
    );
    const { exitCode, stdout } = await gsup('check', '--print', '-f', file);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('caf\u00e9 \ufffd');
    expect(stdout).not.toContain('\r');
  });

  it('more processes than can be supervised are refused as by up', async () => {
    const file = write('many.yaml', 'processes: {a: {command: [app], replicas: 1001}}\n');
    const { exitCode, stderr } = await gsup('check', '-f', file);
    expect(exitCode).toBe(78);
    expect(stderr).toContain('1000 processes');
  });
});
