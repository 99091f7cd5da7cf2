/** gsup under the name of dumb-init, against dumb-init itself: command line, variables, messages, exit codes, signals, what the child finds. */
import { fixture } from '../support/fixtures.ts';
import { isAlive, look } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { type Case, parity } from './peer.ts';
import { aGroup, REAL_TIME, STANDARD, signalEach } from './signals.ts';

const dumbInit = (title: string, wanted: Case) => parity('dumb-init', title, wanted);
const says = (title: string, ...words: string[]) => dumbInit(title, { words, rings: ['subreaper'] });

says('no command');
says('an option and no command', '-c');
says('-- and nothing', '--');
says('--help', '--help');
says('--version', '--version');
says('the first of -hV', '-vhV', 'true');
says('an option that it does not have', '-x', 'true');
says('a long option that it does not have', '--foo', 'true');
says('a long option cut short', '--rewr', '15:3', '--verb', '--single', 'true');
says('a long option cut too short', '--ver', 'true');
says('a value where none is taken', '--help=x');
says('-r without a value', '-r');
says('--rewrite without a value', '--rewrite');
for (const rewrite of [
  '15',
  '15:99',
  '0:3',
  '32:3',
  'x:1',
  '15 :3',
  '15:-1',
  '15:3x',
  ' 15:3',
  '15: 3',
  '+15:+3',
  ':',
])
  says(`-r "${rewrite}"`, '-vc', '-r', rewrite, 'true');
says('--rewrite=', '-cv', '--rewrite=15:0', 'true');
says('options behind the command are for that', 'echo', '-v', '--', '-x');
says('a command that is not there', '-v', 'no-such-command');
says('a command that is no program', '/etc/passwd');
says('a command below a file', '/etc/passwd/x');
says('an empty command', '');

dumbInit('-v', { words: ['-v', 'sh', '-c', 'exit 3'] });
for (const debug of ['1', '0', '', '11'])
  for (const session of ['0', '1', ''])
    dumbInit(`DUMB_INIT_DEBUG=${debug} DUMB_INIT_SETSID=${session}`, {
      words: ['true'],
      env: { DUMB_INIT_DEBUG: debug, DUMB_INIT_SETSID: session },
      rings: ['subreaper'],
    });
dumbInit('DUMB_INIT_DEBUG with -c', { words: ['-c', 'true'], env: { DUMB_INIT_DEBUG: '1' } });
for (const signal of ['SEGV', 'FPE', 'KILL', 'USR1'])
  dumbInit(`a command that dies of ${signal}`, { words: ['-v', 'sh', '-c', `kill -${signal} $$`] });
dumbInit('a script without an interpreter is one for sh', {
  words: ['./script', 'word'],
  settings: { before: ['sh', '-c', `echo 'echo "$0 $1"' >script; chmod +x script; exec "$@"`, 'sh'] },
});
dumbInit('what is left of the group gets TERM when the command ends', {
  words: ['sh', '-c', '"$0" & read line', fixture('reports-signals')],
  rings: ['subreaper'],
  settings: { stdin: 'pipe', warden: ['--linger', '10000'] },
  meanwhile: async (init) => {
    await init.ready();
    init.stdin?.end('end\n');
    await init.stdout.line(/^got SIGTERM/);
  },
});

const context = [fixture('prints-context')];
dumbInit('sockets that were given, whose LISTEN_PID it leaves as it is', {
  words: context,
  settings: { before: [fixture('starts-oddly'), '--listen', '.', '--'] },
  rings: ['pid1'], // where both are given it for the same pid
});
for (const options of [[], ['-c']]) {
  const title = `what the command finds ${options.join(' ')}`;
  dumbInit(title, { words: [...options, ...context] });
  for (const signal of [2, 13, 17, 20])
    dumbInit(`${title}, where signal ${signal} was ignored and 10 blocked`, {
      words: [...options, ...context],
      settings: {
        before: [
          fixture('starts-oddly'),
          '--ignore',
          String(signal),
          '--block',
          '10',
          '--leak',
          '--umask',
          '27',
          '--',
        ],
      },
    });
}

const reporter = fixture('reports-signals');
/** Which a tool of job control would be stopped by: below. */
const PLAIN = STANDARD.filter((signal) => signal !== 20);
dumbInit('every signal is passed on', {
  words: ['-v', reporter],
  meanwhile: (init) => signalEach(init, [4, 5, 6, 7, 8, 11, ...PLAIN, 31, ...REAL_TIME]),
});
dumbInit('signals that are rewritten, and dropped', {
  words: ['-v', '-r', '1:10', '-r', '2:0', '-r', '10:12', '--rewrite', '12:1', reporter],
  meanwhile: (init) => signalEach(init, [3, 1, 10, 12], [2]),
});
dumbInit('signals are for the group', aGroup([], reporter, true));
dumbInit('-c: for the command alone', aGroup(['-c'], reporter, false));
dumbInit('DUMB_INIT_SETSID=0: for the command alone', {
  ...aGroup([], reporter, false),
  env: { DUMB_INIT_SETSID: '0' },
});

for (const [name, signal, options] of [
  ['TSTP', 20, []],
  ['TTIN', 21, []],
  ['TTOU', 22, []],
  ['TSTP rewritten', 20, ['-r', '20:19']],
] as const)
  dumbInit(`${name} stops the command, and itself until it is continued`, {
    words: ['-v', ...options, reporter],
    rings: ['subreaper'],
    meanwhile: async (init) => {
      await init.ready();
      const command = await until('the command', () => init.find('reports-signals')[0]);
      init.signal(signal);
      await until('both to stand still', () => [init.pid, command].every((pid) => look(pid)?.state === 'T'));
      init.signal('SIGCONT');
      await until('both to go on', () =>
        [init.pid, command].every((pid) => isAlive(pid) && look(pid)?.state !== 'T'),
      );
      await init.stdout.line(/^got SIGCONT/);
      const told = () => init.stderr.lines(/Received signal 17/).length === 2;
      await until('it to be told of both', told);
      init.signal('SIGTERM');
    },
  });

dumbInit('on a terminal it hands that over to the command', {
  words: [
    '-v',
    'sh',
    '-c',
    'test $(ps -o pgid= -p $$) = $(ps -o tpgid= -p $$) && echo foreground || echo background',
  ],
  settings: { warden: ['--pty'], stdin: 'pipe' },
});
dumbInit('on a terminal ^C reaches the command', {
  words: [reporter, '--exit-on', 'SIGINT'],
  settings: { warden: ['--pty'], stdin: 'pipe' },
  meanwhile: async (init) => {
    await init.ready();
    init.stdin?.write('\u0003');
  },
});
