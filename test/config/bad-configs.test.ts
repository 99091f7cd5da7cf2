// S39: every kind of bad config is refused, with file, line, column, path, and what to write instead.
import { describe, expect, it } from 'vitest';
import { load, loadText, problemsOf } from './written.ts';

/** Problems of a process with these lines below its name (line 4 is the first). */
function processProblems(lines: string): string[] {
  const text = `processes:\n  web:\n    command: [app]\n${lines.replace(/^/gm, '    ')}`;
  return problemsOf(loadText(text)).map((line) =>
    line.replace('gsup.yaml:', '').replace('"processes.web.', '"'),
  );
}

describe('S39 keys of a process', () => {
  it.each([
    ['comand: x', '4:5: cannot use "comand": there is no such key; did you mean command?'],
    ['cwd: /x', '4:5: cannot use "cwd": there is no such key; write working_dir'],
    ['dpends_on: [x]', '4:5: cannot use "dpends_on": there is no such key; did you mean depends_on?'],
    ['zzz: 1', '4:5: cannot use "zzz": there is no such key; gsup schema prints all keys'],
    ['environment: x', '4:18: cannot use "environment": a mapping or a list of variables is needed, got "x"'],
    [
      'environment: [=x]',
      '4:19: cannot use "environment[0]": a variable like NAME=value, or NAME alone, is needed, got "=x"',
    ],
    ['environment: {a: [b]}', '4:22: cannot use "environment.a": a text is needed, got a list'],
    ['environment: {a=b: c}', '4:19: cannot use "environment.a=b": a name without = is needed'],
    ['env_file: /none', '4:15: cannot use "env_file": a readable file is needed, got ENOENT for "/none"'],
    [
      'env_file: [/none]',
      '4:16: cannot use "env_file[0]": a readable file is needed, got ENOENT for "/none"',
    ],
    ['clear_env: yes', '4:16: cannot use "clear_env": true or false is needed, got "yes"; write true'],
    ['working_dir: ""', '4:18: cannot use "working_dir": a path is needed, got ""'],
    [
      'user: a:b:c',
      '4:11: cannot use "user": a user, by name or number, perhaps with :GROUP, is needed, got "a:b:c"',
    ],
    ['user: a:b\ngroup: c', '5:12: cannot use "group": one group is enough, got one in user too'],
    [
      'umask: 0999',
      '4:12: cannot use "umask": an octal mode from 0 to 0777, like 022, is needed, got "0999"',
    ],
    ['ulimits: {nofil: 1}', expect.stringContaining('4:15: cannot use "ulimits.nofil": one of as, core')],
    [
      'ulimits: {nofile: {soft: 2, hard: 1}}',
      expect.stringContaining('4:23: cannot use "ulimits.nofile": a number, unlimited'),
    ],
    ['nice: 20', '4:11: cannot use "nice": a whole number from -20 to 19 is needed, got "20"'],
    [
      'oom_score_adj: x',
      '4:20: cannot use "oom_score_adj": a whole number from -1000 to 1000 is needed, got "x"',
    ],
    ['tty: 2', '4:10: cannot use "tty": true or false is needed, got "2"'],
    ['stdin: keyboard', '4:12: cannot use "stdin": none or inherit is needed, got "keyboard"'],
    [
      'depends_on: db',
      '4:17: cannot use "depends_on": a list of processes, or a mapping of them, is needed, got "db"',
    ],
    ['depends_on: [wep]', '4:18: cannot use "depends_on[0]": there is no process "wep"; did you mean web?'],
    [
      'depends_on: [web]',
      '4:18: cannot use "depends_on[0]": a process cannot wait for itself, got web -> web',
    ],
    [
      'depends_on: {web: {conditon: ready}}',
      expect.stringContaining('"depends_on.web.conditon": there is no such key; did you mean condition?'),
    ],
    [
      'ready: tcp',
      '4:12: cannot use "ready": how it becomes ready, like {tcp: 5432}, or started, is needed, got "tcp"',
    ],
    ['ready: notify', expect.stringContaining('; write {notify: true}')],
    ['ready: {}', '4:12: cannot use "ready": one of notify, fd, tcp, http, exec, log is needed, got none'],
    [
      'ready: {tcp: 1, fd: 3}',
      '4:12: cannot use "ready": one of notify, fd, tcp, http, exec, log is needed, got fd and tcp',
    ],
    ['ready: {fd: 2}', '4:17: cannot use "ready.fd": a whole number from 3 to 255 is needed, got "2"'],
    [
      'ready: {log: "("}',
      expect.stringMatching(
        /^4:18: cannot use "ready.log": a regular expression is needed, got "\("; Invalid/,
      ),
    ],
    [
      'ready: {log: x}\nlogging: {driver: inherit}',
      '4:18: cannot use "ready.log": its output must be captured, got logging.driver inherit; use prefix, json or file',
    ],
    [
      'ready: {tcp: 1, timeout: 0}',
      '4:30: cannot use "ready.timeout": a positive duration like 500ms, 8s, 1m30s or forever is needed, got "0"',
    ],
    [
      'healthcheck: {}',
      '4:18: cannot use "healthcheck": one of exec, http, tcp and watchdog is needed, got none',
    ],
    [
      'healthcheck: {tcp: 1, exec: x}',
      '4:18: cannot use "healthcheck": one of exec, http, tcp and watchdog is needed, got exec and tcp',
    ],
    [
      'healthcheck: {test: [x]}',
      expect.stringContaining(
        '"healthcheck.test": NONE, [CMD, program, ...] or [CMD-SHELL, text] is needed, got "x" first',
      ),
    ],
    [
      'healthcheck: {http: "localhost:80"}',
      expect.stringContaining('a URL like http://127.0.0.1:8080/ready is needed, got "localhost:80"'),
    ],
    ['healthcheck: {tcp: 70000}', expect.stringContaining('a port like 5432, or an address')],
    [
      'healthcheck: {tcp: 1, interval: 30}',
      expect.stringContaining('a positive duration like 500ms, 8s or 1m30s is needed, got "30"; write 30s'),
    ],
    [
      'healthcheck: {tcp: 1, retries: 0}',
      expect.stringContaining('a whole number from 1 to 1000 is needed, got "0"'),
    ],
    ['restart: allways', '4:14: cannot use "restart": no, on-failure or always is needed, got "allways"'],
    [
      'restart: no\nmax_failures: 3',
      '5:19: cannot use "max_failures": what is never restarted fails once, got restart: no; write restart: on-failure',
    ],
    [
      'restart: on-failure:2\nmax_failures: 3',
      '5:19: cannot use "max_failures": restart: on-failure:2 says it already',
    ],
    [
      'backoff: {factor: 0.5}',
      '4:23: cannot use "backoff.factor": a number from 1 to 1000 is needed, got "0.5"',
    ],
    [
      'backoff: {jitter: 0.1}',
      '4:23: cannot use "backoff.jitter": a percentage from 0% to 100% is needed, got "0.1"',
    ],
    [
      'backoff: {initial: 10s, max: 1s}',
      '4:34: cannot use "backoff.max": it cannot be shorter than the first wait',
    ],
    [
      'min_duration: 5',
      '4:19: cannot use "min_duration": a duration like 500ms, 8s, 1m30s or 0 is needed, got "5"; write 5s',
    ],
    [
      'min_duration: forever',
      '4:19: cannot use "min_duration": a duration like 500ms, 8s, 1m30s or 0 is needed, got "forever"',
    ],
    ['min_duration: 4000d', expect.stringContaining('; 3650d is the longest')],
    ['replicas: 0', '4:15: cannot use "replicas": a whole number from 1 to 10000 is needed, got "0"'],
    [
      'success_exit_codes: []',
      '4:25: cannot use "success_exit_codes": at least one entry is needed, got an empty list',
    ],
    [
      'success_exit_codes: [256]',
      '4:26: cannot use "success_exit_codes[0]": a whole number from 0 to 255 is needed, got "256"',
    ],
    [
      'on_signal: {KILL: TERM}',
      '4:17: cannot use "on_signal.KILL": a signal that can be caught, like SIGHUP or SIGUSR1, is needed, got "KILL"',
    ],
    [
      'on_signal: {TERM: HUP}',
      expect.stringContaining(
        'a signal that does not stop the task is needed, got "TERM"; stop.signal says what a stop sends',
      ),
    ],
    [
      'on_signal: {HUP: FOO}',
      expect.stringContaining('"on_signal.HUP": a signal, or drop, is needed, got "FOO"'),
    ],
    [
      'memory_limit: 512',
      '4:19: cannot use "memory_limit": a size like 512MB, 100k or 2g is needed, got "512"; write 512b, or 512MB',
    ],
    ['start_timeout: 0', expect.stringContaining('a positive duration')],
    [
      'logging: {driver: syslog}',
      '4:23: cannot use "logging.driver": inherit, prefix, json, file or none is needed, got "syslog"',
    ],
    ['logging: {driver: file}', '4:14: cannot use "logging": driver file needs a path, got none'],
    ['logging: {path: /x}', '4:21: cannot use "logging.path": only driver file has a path, got prefix'],
    ['final: true\nephemeral: true', expect.stringContaining('"final": it cannot be ephemeral as well')],
    ['pre_start: []', '4:16: cannot use "pre_start": at least one entry is needed, got an empty list'],
    ['pre_start: [""]', '4:17: cannot use "pre_start[0]": the name of a program is needed, got nothing'],
  ])('%s', (lines, problem) => {
    expect(processProblems(lines)).toContainEqual(problem);
  });
});

describe('S39 stop', () => {
  it.each([
    ['stop: 8s', '4:11: cannot use "stop": a mapping is needed, got "8s"'],
    [
      'stop: {signal: TERMM}',
      '4:20: cannot use "stop.signal": a signal like TERM, SIGUSR1, 15 or RTMIN+3 is needed, got "TERMM"',
    ],
    [
      'stop: {grace: -1s}',
      expect.stringContaining(
        '"stop.grace": a duration like 500ms, 8s, 1m30s, 0 or forever is needed, got "-1s"',
      ),
    ],
    [
      'stop: {signal: INT}\nstop_signal: TERM',
      '5:18: cannot use "stop_signal": one name for it is enough, got stop.signal too',
    ],
    [
      'stop: {grace: 1s}\nstop_grace_period: 1s',
      '5:24: cannot use "stop_grace_period": one name for it is enough, got stop.grace too',
    ],
    [
      'stop: {grace: 1s, ladder: [{wait: 1s}]}',
      '4:19: cannot use "stop.grace": the ladder says all of it, got grace beside it; write a rung for it',
    ],
    [
      'stop_signal: INT\nstop: {ladder: [{wait: 1s}]}',
      '5:11: cannot use "stop": the ladder says all of it, got signal beside it; write a rung for it',
    ],
    ['stop: {ladder: []}', '4:20: cannot use "stop.ladder": at least one entry is needed, got an empty list'],
    [
      'stop: {ladder: [{}]}',
      '4:21: cannot use "stop.ladder[0]": one of signal, exec, http_post and wait is needed, got none',
    ],
    [
      'stop: {ladder: [{signal: INT, exec: x}]}',
      '4:21: cannot use "stop.ladder[0]": one of signal, exec and http_post is needed, got signal and exec',
    ],
    [
      'stop: {ladder: [{exec: x, target: tree}]}',
      expect.stringContaining('"stop.ladder[0].target": only a signal has a target'),
    ],
    [
      'stop: {ladder: [{signl: INT}]}',
      expect.stringContaining('"stop.ladder[0].signl": there is no such key; did you mean signal?'),
    ],
    ['stop: {ladder: [TERMM]}', expect.stringContaining('"stop.ladder[0]": a rung like SIGTERM:8s')],
    [
      'stop: {pre_stop_timeout: 1s}',
      '4:30: cannot use "stop.pre_stop_timeout": it needs a pre_stop, got none',
    ],
    ['stop: {retry: 1s}', '4:19: cannot use "stop.retry": it needs must_drain: true, got none'],
    [
      'stop: {must_drain: true}',
      '4:24: cannot use "stop.must_drain": a pre_stop is needed that can succeed, got none',
    ],
    [
      'stop: {must_drain: true, ladder: [TERM:1s, "exec:x:1s"]}',
      expect.stringContaining(
        '"stop.must_drain": an exec rung before the first signal is needed that can succeed',
      ),
    ],
    [
      `stop: {ladder: [${Array.from({ length: 17 }, () => 'TERM:1s').join(', ')}]}`,
      expect.stringContaining('"stop.ladder": a ladder has at most 16 rungs, got 17'),
    ],
  ])('%s', (lines, problem) => {
    expect(processProblems(lines)).toContainEqual(problem);
  });
});

describe('S39 the task', () => {
  it.each([
    ['', 'cannot use "processes": a mapping is needed, got nothing'],
    ['processes: {}', 'cannot use "processes": at least one process is needed, got none'],
    ['processes: [web]', 'cannot use "processes": a mapping is needed, got a list'],
    ['processes: {web: }', 'cannot use "processes.web": a mapping is needed, got nothing'],
    [
      'processes: {web: node server.js}',
      'cannot use "processes.web": a mapping is needed, got "node server.js"',
    ],
    ['services: {}', 'cannot use "services": there is no such key; write processes'],
    [
      'processes: {.web: {command: x}}',
      'cannot use "processes..web": a name is at most 64 letters, digits, _, . and -, the first no . or -',
    ],
    [
      'name: a b\nprocesses: {web: {command: x}}',
      'cannot use "name": a name of at most 64 letters, digits, _, . and -, the first no . or -, is needed, got "a b"',
    ],
    [
      'main: wep\nprocesses: {web: {command: x}}',
      'cannot use "main": there is no process "wep"; did you mean web?',
    ],
    [
      'main: a\nprocesses: {a: {command: x, final: true}, b: {command: x}}',
      'cannot use "main": "a" is final, and cannot be the main process',
    ],
    [
      'main: a\nprocesses: {a: {command: x, ephemeral: true}, b: {command: x}}',
      'cannot use "main": "a" is ephemeral, and cannot be the main process',
    ],
    [
      'main: a\nprocesses: {a: {command: x, replicas: 1}}',
      'cannot use "main": "a" has replicas, and cannot be the main process',
    ],
    [
      'processes: {a: {command: x, ephemeral: true}}',
      'cannot use "processes": at least one process is needed that is neither ephemeral nor final, got none',
    ],
    [
      'processes: {a: {command: x, replicas: 2}, a.2: {command: x}}',
      'cannot use "processes.a.2": "a.2" is a name of "a" too',
    ],
    [
      'processes: {a: {command: x, stdin: inherit}, b: {command: x, stdin_open: true}}',
      'cannot use "processes.b.stdin_open": one process can have standard input, got "a" too',
    ],
    [
      'processes: {a: {command: x, stdin: inherit, replicas: 2}}',
      'cannot use "processes.a.stdin": one process can have standard input, got replicas',
    ],
    [
      'logging: {driver: file, path: l}\nprocesses: {a: {command: x}, b: {command: x}}',
      'cannot use "logging.path": "a" and "b" cannot write the same file',
    ],
    [
      'exit_when: never\nprocesses: {web: {command: x}}',
      'cannot use "exit_when": any, failure or all is needed, got "never"',
    ],
    [
      'max_failures: -1\nprocesses: {web: {command: x}}',
      'cannot use "max_failures": a whole number from 0 to 1000000 is needed, got "-1"',
    ],
  ])('%s', (text, problem) => {
    expect(problemsOf(loadText(text)).map((line) => line.replace(/^gsup.yaml:\d+:\d+: /, ''))).toContain(
      problem,
    );
  });

  it('S39 complains once of a file that says nothing but nonsense', () => {
    expect(problemsOf(loadText('hello'))).toEqual([
      'gsup.yaml:1:1: cannot use "gsup.yaml": a mapping is needed, got "hello"',
    ]);
  });
});

describe('S39 order', () => {
  it.each([
    [
      'a: {command: x, depends_on: [b]}, b: {command: x, depends_on: [c]}, c: {command: x, depends_on: [a]}',
      'a process cannot wait for itself, got a -> b -> c -> a',
    ],
    [
      'a: {command: x, depends_on: {b: {condition: healthy}}}, b: {command: x}',
      '"b" has no healthcheck, so it never becomes healthy',
    ],
    [
      'a: {command: x, depends_on: {b: {condition: completed_successfully}}}, b: {command: x, daemon: true}',
      '"b" is run again whenever it ends, so it never completes',
    ],
    [
      'a: {command: x, depends_on: {b: {condition: completed_successfully}}}, b: {command: x, restart: always}',
      '"b" is run again whenever it ends, so it never completes',
    ],
    [
      'a: {command: x, depends_on: {b: {condition: completed_successfully}}}, b: {command: x, ephemeral: true}',
      '"b" is ephemeral: nobody but ephemeral processes can wait for its completion',
    ],
    [
      'a: {command: x, final: true, depends_on: [b]}, b: {command: x}',
      'a final process depends only on final ones, and "b" is none',
    ],
    [
      'a: {command: x, depends_on: [b]}, b: {command: x, final: true}',
      '"b" is final: it runs when all others have ended',
    ],
  ])('%s', (processes, rule) => {
    expect(problemsOf(loadText(`processes: {${processes}}`)).join('\n')).toContain(`": ${rule}`);
  });

  it('S39 finds a circle beside other problems', () => {
    const text = 'processes: {a: {command: x, nice: x, depends_on: [b]}, b: {command: x, depends_on: [a]}}';
    const problems = problemsOf(loadText(text));
    expect(problems).toHaveLength(2);
    expect(problems.join()).toContain('a -> b -> a');
  });

  it('concludes nothing from what was left out because it was wrong', () => {
    const text =
      'processes: {a: {command: x, depends_on: {b: {condition: healthy}}}, b: {command: x, healthcheck: {tcp: x}}}';
    expect(problemsOf(loadText(text))).toEqual([expect.stringContaining('"processes.b.healthcheck.tcp"')]);
  });

  it.each([
    'a: {command: x, ephemeral: true, depends_on: {b: {condition: completed_successfully}}}, b: {command: x, ephemeral: true}, c: {command: x}',
    'a: {command: x, final: true, depends_on: [b]}, b: {command: x, final: true}, c: {command: x}',
    'a: {command: x, depends_on: [b]}, b: {command: x, ephemeral: true}',
  ])('takes %s', (processes) => {
    expect(problemsOf(loadText(`processes: {${processes}}`))).toEqual([]);
  });
});

describe('S39 files', () => {
  it.each([
    [
      'a: [1, 2',
      '1:9: cannot read "gsup.yaml": flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['a:\n\tb: c', '2:1: cannot read "gsup.yaml": spaces are needed at the beginning of a line, got a tab'],
    ['a: b\n---\nc: d', '2:1: cannot read "gsup.yaml": one document is needed, got several (---)'],
    ['a: \0', '1:4: cannot read "gsup.yaml": a text is needed, got a NUL byte'],
    ['name: "a\\0b"', '1:7: cannot use "name": a text is needed, got a NUL byte'],
    ['__proto__: {a: b}', '1:1: cannot use "gsup.yaml": a text is needed as a key, got "__proto__"'],
    [
      'processes: {web: {command: x, environment: {__proto__: x}}}',
      '1:45: cannot use "processes.web.environment": a text is needed as a key, got "__proto__"',
    ],
    ['name: a\nname: b', '2:1: cannot use "name": each key is written once, got it in line 1 too'],
    ['? [a]\n: b', '1:3: cannot use "gsup.yaml": a text is needed as a key, got another value'],
    ['name: *none', '1:7: cannot use "name": an anchor that stands before it is needed, got *none'],
    ['<<: text', '1:5: cannot use "<<": a mapping, or a list of them, is needed, got "text"'],
    [
      'processes: &p\n  web: *p',
      expect.stringContaining('values are nested 32 deep at most; an alias may refer to itself'),
    ],
    [`a: ${'['.repeat(2000)}`, '1:1: cannot read "gsup.yaml": values are nested 32 deep at most'],
    [`a: ${'['.repeat(40)}${']'.repeat(40)}`, expect.stringContaining('values are nested 32 deep at most')],
    [
      `name: ${'x'.repeat(600_000)}`,
      expect.stringContaining('a config has at most 524288 bytes, got 600006; use include for several files'),
    ],
    [
      'a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]',
      expect.stringContaining('a config has at most 100000 values'),
    ],
  ])('%j', (text, problem) => {
    expect(problemsOf(loadText(text)).map((line) => line.replace('gsup.yaml:', ''))).toContainEqual(problem);
  });

  it.each(['EISDIR', 'EACCES', 'ELOOP'])('S39 says that a file cannot be read: %s', (code) => {
    expect(problemsOf(load({ 'x.yaml': { code } }, { files: ['x.yaml'] }))).toEqual([
      `cannot read "x.yaml": a readable file is needed, got ${code}`,
    ]);
  });

  it('S39 a default file that cannot be read is not passed over', () => {
    const files = { 'gsup.yaml': { code: 'EACCES' }, 'gsup.yml': 'processes: {a: {command: x}}' };
    expect(problemsOf(load(files))).toEqual([
      'cannot read "gsup.yaml": a readable file is needed, got EACCES',
    ]);
  });

  it('takes a BOM and CRLF', () => {
    expect(problemsOf(loadText('\uFEFFprocesses:\r\n  web:\r\n    command: x\r\n'))).toEqual([]);
  });
});

describe('S39 texts that somebody else has written', () => {
  const app = 'processes: {a: {command: [app]}}\n';

  it('a tag is refused where it stands, and those that change nothing are not', () => {
    expect(problemsOf(loadText('processes: {a: {command: !!python/object:os.system [x]}}'))).toEqual([
      'gsup.yaml:1:52: cannot use "processes.a.command": a value without a tag is needed, got !!python/object:os.system',
    ]);
    expect(problemsOf(loadText('processes: !reset {a: {command: [app]}}'))).toEqual([
      'gsup.yaml:1:19: cannot use "processes": a value without a tag is needed, got !reset',
    ]);
    expect(problemsOf(loadText('processes: !!map {a: {command: !!seq [!!str app, ! b]}}'))).toEqual([]);
  });

  it('what is included and cannot be read is told where it is named', () => {
    const loaded = load({ 'gsup.yaml': `include: [one.yaml, none.yaml]\n${app}`, 'one.yaml': 'x-a: 1\n' });
    expect(problemsOf(loaded)).toContain(
      'gsup.yaml:1:21: cannot read "none.yaml": a readable file is needed, got ENOENT',
    );
  });

  it('a circle of includes is told with all of it', () => {
    const loaded = load({ 'gsup.yaml': `include: b.yaml\n${app}`, 'b.yaml': 'include: gsup.yaml\n' });
    expect(problemsOf(loaded)).toEqual([
      'b.yaml:1:10: cannot use "include": a file cannot include itself, got gsup.yaml -> b.yaml -> gsup.yaml',
    ]);
  });
});
