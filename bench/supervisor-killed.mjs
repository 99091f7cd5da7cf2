// What becomes of a child when its supervisor is SIGKILLed: node bench/supervisor-killed.mjs [OUT] (as root)
// gsup run --stay and gsup up beside s6, supervisord, pm2 and tini, each in a PID namespace of its own. Writes the page OUT
// (docs/explanation/supervisor-killed.md). pm2 is installed into a temporary folder; a peer that is not there is not measured.
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const GRACE_MS = 6000; // of the stop
const KILLED_AFTER_MS = 2000; // of the grace have passed when the supervisor is killed
const WATCHED_MS = 15_000; // after the stop was asked for: more than two whole graces

// Says who it is, writes a line ten times a second, ignores the stop signals, and exits with 7 when it is asked to.
const child = `echo $$ >>"$1/pids"
trap '' TERM INT
trap 'exit 7' USR1
n=0; while :; do echo "$$ $n"; n=$((n + 1)); sleep 0.1; done
`;

// ---- in the namespace: one peer, one question

const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const lines = (text) => text.split('\n').filter(Boolean);

/** Zombies are gone: this process is init here, and nobody else's parent. */
function lives(pid) {
  const stat = existsSync(`/proc/${pid}/stat`) ? read(`/proc/${pid}/stat`) : '';
  return stat !== '' && !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0]);
}

function processes(holds) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => lives(pid) && holds(read(`/proc/${pid}/cmdline`).split('\0'), pid));
}

async function until(ms, holds) {
  const end = Date.now() + ms;
  for (;;) {
    const value = holds();
    if (value || Date.now() > end) return value;
    await sleep(20);
  }
}

function run(folder, command, env = {}) {
  const out = openSync(join(folder, 'out'), 'a');
  const said = openSync(join(folder, 'said'), 'a');
  const started = spawn(command[0], command.slice(1), {
    stdio: ['ignore', out, said],
    env: { ...process.env, ...env },
  });
  started.on('exit', (code) => appendFileSync(join(folder, 'codes'), `${code}\n`));
  started.on('error', (error) => appendFileSync(join(folder, 'said'), `${error}\n`));
  return started;
}

const job = (folder) => ['sh', join(folder, 'child.sh'), folder];
/** What is run when the child has ended, where there is such a thing. */
const hook = (folder) => `echo begin >>${folder}/hook; sleep 2; echo end >>${folder}/hook`;
const isGsup = () => processes((words) => words.some((word) => word.endsWith('/dist/main.cjs')))[0];
const exited7 = (folder) => lines(read(join(folder, 'codes'))).includes('7');

/** `back`: how it is started again; without, it has to come by itself. `out`: where the child's lines arrive. */
const peers = {
  'gsup run --stay': {
    version: () => spawnSync(gsup, ['--version'], { encoding: 'utf8' }).stdout,
    start: (folder) =>
      run(folder, [
        gsup,
        'run',
        '--stay',
        '--state-dir',
        join(folder, 'state'),
        '--name',
        'web',
        '-g',
        '6s',
        '--post-stop',
        hook(folder),
        '--',
        ...job(folder),
      ]),
    supervisor: isGsup,
    stop: (_, started) => started.kill('SIGTERM'),
    knows: exited7,
    hooked: true,
  },
  'gsup up': {
    version: () => spawnSync(gsup, ['--version'], { encoding: 'utf8' }).stdout,
    start: (folder) => {
      const stop = { grace: '6s', post_stop: hook(folder) };
      const web = { command: job(folder), logging: { driver: 'prefix' }, stop };
      writeFileSync(
        join(folder, 'gsup.json'),
        JSON.stringify({ name: 'web', main: 'web', processes: { web } }),
      );
      return run(folder, [gsup, 'up', '--state-dir', join(folder, 'state'), '-f', join(folder, 'gsup.json')]);
    },
    supervisor: isGsup,
    stop: (_, started) => started.kill('SIGTERM'),
    knows: exited7,
    hooked: true,
  },
  s6: {
    version: () => spawnSync('dpkg-query', ['-W', '-f', `\${Version}`, 's6'], { encoding: 'utf8' }).stdout,
    start: (folder) => {
      const service = join(folder, 'scan/web');
      mkdirSync(join(service, 'log'), { recursive: true });
      const script = (path, text) => writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      script(join(service, 'run'), `exec ${job(folder).join(' ')}`);
      script(join(service, 'finish'), `${hook(folder)}; echo "$1" >>${folder}/finished`);
      script(join(service, 'log/run'), `exec s6-log -b ${folder}/log`);
      writeFileSync(join(service, 'timeout-kill'), String(GRACE_MS));
      return run(folder, ['s6-svscan', join(folder, 'scan')]);
    },
    supervisor: () => processes((words) => words[0] === 's6-supervise' && words[1] === 'web')[0],
    stop: (folder) => run(folder, ['s6-svc', '-d', join(folder, 'scan/web')]),
    knows: (folder) => lines(read(join(folder, 'finished'))).includes('7'),
    out: 'log/current',
    hooked: true,
  },
  supervisord: {
    version: () => spawnSync('supervisord', ['--version'], { encoding: 'utf8' }).stdout,
    start: (folder) => {
      writeFileSync(
        join(folder, 'conf'),
        [
          '[supervisord]\nnodaemon=true\nuser=root',
          `logfile=${folder}/supervisord.log\npidfile=${folder}/pid`,
          `[unix_http_server]\nfile=${folder}/socket`,
          `[supervisorctl]\nserverurl=unix://${folder}/socket`,
          '[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface',
          `[program:web]\ncommand=${job(folder).join(' ')}\nstdout_logfile=${folder}/web.log`,
          `stopwaitsecs=${GRACE_MS / 1000}\nkillasgroup=true\nstopasgroup=true\nautorestart=true`,
        ].join('\n'),
      );
      return run(folder, ['supervisord', '-c', join(folder, 'conf')]);
    },
    supervisor: (folder) => Number(read(join(folder, 'pid'))) || undefined,
    back: (folder) => run(folder, ['supervisord', '-c', join(folder, 'conf')]),
    stop: (folder) => run(folder, ['supervisorctl', '-c', join(folder, 'conf'), 'stop', 'web']),
    knows: (folder) => read(join(folder, 'supervisord.log')).includes('exit status 7'),
    out: 'web.log',
  },
  pm2: {
    version: () =>
      existsSync(pm2Script()) && JSON.parse(read(join(pm2Script(), '../../package.json'))).version,
    start: (folder) => {
      pm2(folder, [
        'start',
        job(folder)[1],
        '--interpreter',
        'sh',
        '--name',
        'web',
        '--kill-timeout',
        String(GRACE_MS),
        '--',
        folder,
      ]);
      pm2(folder, ['save']);
    },
    supervisor: (folder) => Number(read(join(folder, 'pm2/pm2.pid'))) || undefined,
    back: (folder) => pm2(folder, ['resurrect']),
    stop: (folder) =>
      run(folder, [process.execPath, pm2Script(), 'stop', 'web'], { PM2_HOME: join(folder, 'pm2') }),
    knows: (folder) => read(join(folder, 'pm2/pm2.log')).includes('exited with code [7]'),
    out: 'pm2/logs/web-out.log',
  },
  tini: {
    version: () =>
      spawnSync('tini', ['--version'], { encoding: 'utf8' }).stdout?.replace('tini version ', ''),
    start: (folder) => run(folder, ['tini', '-s', '--', ...job(folder)]),
    supervisor: () => processes((words) => words[0] === 'tini')[0],
    back: (folder) => run(folder, ['tini', '-s', '--', ...job(folder)]),
    stop: (_, started) => started.kill('SIGTERM'),
    knows: exited7,
    graceless: true,
  },
};
const gsup = fileURLToPath(new URL('../dist/native/gsup', import.meta.url));
const pm2Script = () => join(process.env.PM2_FOLDER ?? '/nowhere', 'node_modules/pm2/bin/pm2');
const pm2 = (folder, args) =>
  spawnSync(process.execPath, [pm2Script(), ...args], {
    encoding: 'utf8',
    env: { ...process.env, PM2_HOME: join(folder, 'pm2') },
  });

async function begin(peer, folder) {
  writeFileSync(join(folder, 'child.sh'), child);
  const started = peer.start(folder);
  const first = await until(20_000, () => Number(lines(read(join(folder, 'pids')))[0]));
  const arrived = () =>
    lines(read(join(folder, peer.out ?? 'out'))).filter((line) => line.split(' ').at(-2) === String(first))
      .length;
  const supervisor = await until(20_000, () => arrived() > 0 && peer.supervisor(folder));
  if (!first || !supervisor) throw new Error(`it did not start: ${read(join(folder, 'said'))}`);
  return { started, first, supervisor, arrived };
}

/** Killed while all is well: the child, its output, a second copy, and whether its exit code is known in the end. */
async function whileRunning(peer, folder) {
  const { first, supervisor, arrived } = await begin(peer, folder);
  process.kill(supervisor, 'SIGKILL');
  await sleep(1000);
  const before = arrived();
  await sleep(2000);
  const seen = { lives: lives(first), flows: arrived() > before };
  if (peer.back) peer.back(folder);
  await until(10_000, () => ![undefined, supervisor].includes(peer.supervisor(folder)));
  await sleep(4000);
  const copies = lines(read(join(folder, 'pids')))
    .map(Number)
    .filter(lives).length;
  if (lives(first)) process.kill(first, 'SIGUSR1');
  const knows = await until(10_000, () => peer.knows(folder));
  return { ...seen, copies, known: seen.lives && knows };
}

/** Killed in the middle of a grace period: when is the child gone? */
async function whileStopping(peer, folder) {
  const { started, first, supervisor } = await begin(peer, folder);
  const asked = Date.now();
  peer.stop(folder, started);
  await sleep(KILLED_AFTER_MS);
  if (!lives(first)) return { goneMs: Date.now() - asked };
  process.kill(supervisor, 'SIGKILL');
  if (peer.back) setTimeout(() => peer.back(folder), 1000);
  const gone = await until(WATCHED_MS - KILLED_AFTER_MS, () => !lives(first));
  const goneMs = gone ? Date.now() - asked : null;
  return {
    goneMs,
    copies: lines(read(join(folder, 'pids')))
      .map(Number)
      .filter((pid) => pid !== first && lives(pid)).length,
  };
}

/** Killed while that hook runs: does it come to its end, once, and does whatever follows wait for it? */
async function whileHook(peer, folder) {
  if (!peer.hooked) return {};
  const { first, supervisor } = await begin(peer, folder);
  const said = (word) => lines(read(join(folder, 'hook'))).filter((line) => line === word).length;
  process.kill(first, 'SIGUSR1');
  await until(10_000, () => said('begin') > 0);
  process.kill(supervisor, 'SIGKILL');
  const copies = () => lines(read(join(folder, 'pids'))).length;
  const beside = await until(5000, () => (said('end') > 0 ? null : copies() > 1) ?? 'no');
  await sleep(3000);
  return { begins: said('begin'), ends: said('end'), beside: beside === true };
}

// ---- outside

function ask(name, question) {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-killed-'));
  try {
    const words = [
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      process.execPath,
      self,
      '--inside',
      name,
      question,
      folder,
    ];
    const asked = spawnSync('unshare', words, {
      encoding: 'utf8',
      timeout: 180_000,
    });
    const answer = lines(asked.stdout ?? '').at(-1);
    if (answer === undefined) throw new Error(asked.stderr || String(asked.error));
    return JSON.parse(answer);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function installPm2() {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-pm2-'));
  spawnSync(
    'npm',
    ['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder, 'pm2'],
    { timeout: 180_000 },
  );
  return folder;
}

const yes = (value) => (value ? 'yes' : 'no');

function graceCell(peer, { goneMs, copies }) {
  if (peer.graceless) return 'has none';
  const second = copies > 0 ? ', and a second copy runs' : '';
  if (goneMs === null) return `lost: alive after ${WATCHED_MS / 1000} s${second}`;
  const seconds = `${(goneMs / 1000).toFixed(1)} s`;
  return goneMs < GRACE_MS - 500
    ? `cut short: gone after ${seconds}${second}`
    : goneMs < GRACE_MS + 2000
      ? `kept: gone after ${seconds}${second}`
      : `begun anew: gone after ${seconds}${second}`;
}

function hookCell(peer, { begins, ends, beside }) {
  if (!peer.hooked) return 'has none';
  if (begins !== 1 || ends !== 1) return `begun ${begins} times, ended ${ends} times`;
  return beside ? 'to its end, and beside it a second copy' : 'once, to its end';
}

function row(name) {
  const peer = peers[name];
  const version = (peer.version() || '').trim();
  if (version === '') return [name, 'not installed: not measured', '', '', '', '', ''];
  const a = ask(name, 'whileRunning');
  const b = ask(name, 'whileStopping');
  const c = ask(name, 'whileHook');
  console.error(name, a, b, c);
  const copy =
    a.copies > 1 ? 'yes, beside the first' : a.lives ? 'no' : a.copies ? 'yes, the first is gone' : 'no';
  return [
    `${name} ${version}`,
    yes(a.lives),
    copy,
    yes(a.flows),
    yes(a.known),
    graceCell(peer, b),
    hookCell(peer, c),
  ];
}

function page(rows) {
  const head = [
    '',
    'child lives on',
    'second copy',
    'output flows on',
    'exit code known',
    `grace of ${GRACE_MS / 1000} s, supervisor killed ${KILLED_AFTER_MS / 1000} s into it`,
    'hook after the end, supervisor killed within it',
  ];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return `# When the supervisor is killed

What becomes of a child when the process that supervises it gets SIGKILL (the OOM killer's choice, a bug, a hasty hand). Written by
[bench/supervisor-killed.mjs](../../bench/supervisor-killed.mjs) on Linux ${release()}, Node ${process.version}, ${cpus().length} processors; nothing here is quoted.

${[head, head.map(() => '---'), ...rows].map(line).join('\n')}

Who is killed: gsup's supervisor (its Node process), \`s6-supervise\`, \`supervisord\`, pm2's daemon, \`tini\`; none is PID 1, whose death would
end the container. gsup's init and \`s6-svscan\` start theirs again; the others are started again by the script after some seconds, as an
orchestrator would (pm2: \`pm2 save\` before, \`pm2 resurrect\` after). The child writes ten lines a second, ignores SIGTERM and SIGINT,
and exits with 7 when the supervisor is back.

- *second copy*: started although nobody had asked for one.
- *output flows on*: the child's lines still arrive where they went before. Where they do not, the next one meets a broken
  pipe, which ends most programs.
- *exit code known*: the 7 is in the exit code or the log of whoever supervises.
- *grace*: a stop was asked for, and its grace period was running. Kept means neither shorter nor longer than it was to be.
- *hook*: \`post_stop\` of gsup, \`./finish\` of s6: a command that runs when the child has ended, for 2 s.
`;
}

if (process.argv[2] === '--inside') {
  const [, , , name, question, folder] = process.argv;
  const answer = await { whileRunning, whileStopping, whileHook }[question](peers[name], folder);
  console.log(JSON.stringify(answer));
  process.exit(0); // as init of the namespace: whoever is left ends with it
}
const pm2Folder = installPm2();
process.env.PM2_FOLDER = pm2Folder; // also for what runs in the namespaces
try {
  const names = Object.keys(peers).filter(
    (name) => !process.env.PEERS || process.env.PEERS.split(',').includes(name),
  );
  const text = page(names.map(row));
  writeFileSync(
    process.argv[2] ?? fileURLToPath(new URL('../docs/explanation/supervisor-killed.md', import.meta.url)),
    text,
  );
  console.log(text);
} finally {
  rmSync(pm2Folder, { recursive: true, force: true });
}
