/** gsup under the name of tini, against tini itself: command line, variables, messages, exit codes, signals, what the child finds. */
import { fixture } from '../support/fixtures.ts';
import { until } from '../support/until.ts';
import { type Case, parity } from './peer.ts';
import { aGroup, REAL_TIME, STANDARD, signalEach } from './signals.ts';

const tini = (title: string, wanted: Case) => parity('tini', title, wanted);
const says = (title: string, ...words: string[]) => tini(title, { words, rings: ['subreaper'] });

says('no command');
says('-h', '-h');
says('--version', '--version');
says('--version with more behind it', '--version', 'true');
says('an option that it does not have', '-x', 'true');
says('a long option', '--foo', 'true');
says('-e without a value', '-e');
says('-p without a value', '-sp');
says('-- and nothing', '--');
says('-p with no signal', '-p', 'FOO', 'true');
says('-p with a signal without SIG', '-p', 'KILL', 'true');
says('-p with a number', '-p', '9', 'true');
says('-p with a signal that POSIX does not have', '-p', 'SIGPWR', 'true');
for (const code of ['300', '-1', 'foo', '3x', '256']) says(`-e ${code}`, '-e', code, 'true');
for (const code of ['', ' 0', '+0']) says(`-e "${code}"`, '-s', '-e', code, 'sh', '--', '-c', 'exit 0');
says('letters together', '-svvpSIGTERM', 'true');
says('options behind the command are its own words for tini', '-s', 'echo', 'x', '-vv', 'y', '--', '-v', 'x');
says('a word - is a command', '-s', '-');
says('a command that is not there', '-s', '-vvv', 'no-such-command');
says('a command that is no program', '-s', '/etc/passwd');
says('a folder as a command', '-s', '/tmp');
says('a command below a file', '-s', '/etc/passwd/x');
says('an empty command', '-s', '');

tini('as a reaper and not', { words: ['-vvv', '--', 'sh', '-c', 'exit 3'] });
tini('POSIXLY_CORRECT', { words: ['-s', 'echo', '-v'], env: { POSIXLY_CORRECT: '1' } });
tini('TINI_SUBREAPER', { words: ['-vvv', 'true'], env: { TINI_SUBREAPER: '' } });
for (const level of ['0', '1', '2', '3', '4', '9', '-1', 'x', '2x', ''])
  tini(`TINI_VERBOSITY=${level}`, {
    words: ['-v', 'true'],
    env: { TINI_VERBOSITY: level },
    rings: ['subreaper'],
  });
tini('-e', { words: ['-s', '-e', '143', '-e', '3', '--', 'sh', '-c', 'kill -TERM $$'] });
tini('codes', { words: ['-s', '-e', '3', '--', 'sh', '-c', 'exit 4'] });
for (const signal of ['SEGV', 'FPE', 'KILL', 'USR1', 'TRAP'])
  tini(`a command that dies of ${signal}`, { words: ['-s', '-vvv', '--', 'sh', '-c', `kill -${signal} $$`] });
tini('-w names the orphans that it reaps', {
  words: ['-s', '-w', '-vv', '--', 'sh', '-c', '(true &); read line'],
  settings: { stdin: 'pipe' },
  meanwhile: async (init) => {
    await until('the orphan to be reaped', () => init.stderr.lines(/Reaped zombie/).length === 1);
    init.stdin?.end('go on\n');
  },
});
tini('a script without an interpreter is one for sh', {
  words: ['-s', '--', './script', 'word'],
  meanwhile: async () => {},
  settings: { before: ['sh', '-c', `echo 'echo "$0 $1"' >script; chmod +x script; exec "$@"`, 'sh'] },
});

const context = [fixture('prints-context')];
tini('what the command finds', { words: ['-s', ...context] });
tini('what it finds after an odd start', {
  words: ['-s', ...context],
  settings: {
    before: [fixture('starts-oddly'), '--ignore', '13', '--block', '10', '--leak', '--umask', '27', '--'],
  },
});
tini('sockets that were given, whose LISTEN_PID it leaves as it is', {
  words: ['-s', ...context],
  settings: { before: [fixture('starts-oddly'), '--listen', '.', '--'] },
  rings: ['pid1'], // where both are given it for the same pid
});
// Where SIGCHLD is ignored tini never ends: that is not copied.
for (const signal of [2, 21, 22])
  tini(`what it finds where signal ${signal} was ignored`, {
    words: ['-s', ...context],
    settings: { before: [fixture('starts-oddly'), '--ignore', String(signal), '--'] },
  });

const reporter = fixture('reports-signals');
const listens = (...options: string[]) => ['-s', ...options, '--', reporter];
tini('every signal that is passed on', {
  words: listens(),
  meanwhile: (init) => signalEach(init, [...STANDARD, ...REAL_TIME]),
});
tini('the names of signals', { words: listens('-vv'), meanwhile: (init) => signalEach(init, STANDARD) });
tini('the names of real-time signals', {
  words: listens('-vv'),
  meanwhile: (init) => signalEach(init, REAL_TIME.slice(-5)),
});
tini('those of the terminal are left alone', {
  words: listens('-vvv'),
  meanwhile: (init) => signalEach(init, [10], [21, 22]),
});
tini('signals are for the command alone', aGroup(['-s', '--'], reporter, false));
tini('-g: for its group', aGroup(['-sg', '--'], reporter, true));
tini('TINI_KILL_PROCESS_GROUP: for its group', {
  ...aGroup(['-s', '--'], reporter, true),
  env: { TINI_KILL_PROCESS_GROUP: '' },
});

tini('-p: the signal for the end of its parent', {
  words: ['-s', '-p', 'SIGUSR1', '--', fixture('reports-signals'), '--exit-on', 'SIGUSR1'],
  rings: ['subreaper'],
  settings: { before: ['sh', '-c', '"$@" & read line', 'sh'], stdin: 'pipe', warden: ['--linger', '10000'] },
  meanwhile: async (shell) => {
    await shell.ready();
    shell.stdin?.end('end\n');
    await shell.stdout.line(/^got SIGUSR1/);
  },
});

const asks = 'test $(ps -o pgid= -p $$) = $(ps -o tpgid= -p $$) && echo foreground || echo background';
tini('on a terminal the command has the foreground', {
  words: ['-s', '-vvv', '--', 'sh', '-c', asks],
  settings: { warden: ['--pty'], stdin: 'pipe' },
});
tini('on a terminal ^C reaches the command', {
  words: ['-s', '--', reporter, '--exit-on', 'SIGINT'],
  settings: { warden: ['--pty'], stdin: 'pipe' },
  meanwhile: async (init) => {
    await init.ready();
    init.stdin?.write('\u0003');
  },
});
