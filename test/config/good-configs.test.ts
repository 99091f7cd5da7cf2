// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how variables are written in a config
// What a config means: each key, each spelling of Compose, variables, files.
import { describe, expect, it } from 'vitest';
import { configOf, load, loadText, planOf, problemsOf, processWith } from './written.ts';

describe('a process', () => {
  it('has every default when it says nothing', () => {
    expect(processWith('')).toEqual({
      name: 'web',
      entry: 'web',
      replica: null,
      role: 'ordinary',
      daemon: false,
      autostart: true,
      dependsOn: [],
      preStart: null,
      ready: null,
      health: null,
      watchdogMs: null,
      memoryLimitBytes: null,
      onSignal: [],
      launch: {
        argv: ['app'],
        noNewPrivs: false,
        clearEnv: false,
        envSet: {},
        envUnset: [],
        limits: [],
        terminal: false,
        stdinNull: true,
        notify: true,
        output: { driver: 'prefix', timestamps: false },
        startTimeoutMs: 10_000,
      },
      ladder: [{ action: 'signal', signal: 'received', target: 'group', waitMs: 8000 }],
      waits: 'grace',
      level: 0,
      mustDrain: null,
      postStop: null,
      restart: {
        policy: 'no',
        maxFailures: 1,
        minDurationMs: 5000,
        backoff: { initialMs: 500, factor: 2, maxMs: 30_000, jitter: 0.1, resetAfterMs: 30_000 },
      },
      exitMap: [],
      successCodes: [0],
    });
  });

  it.each([
    ['restart: unless-stopped', { policy: 'always', maxFailures: 0 }],
    ['restart: on-failure:3', { policy: 'on-failure', maxFailures: 4 }],
    ['restart: on-failure', { policy: 'on-failure', maxFailures: 0 }],
    ['max_failures: 3', { policy: 'on-failure', maxFailures: 3 }],
    ['max_failures: 1', { policy: 'no', maxFailures: 1 }],
    ['restart: no\nmax_failures: 1', { policy: 'no', maxFailures: 1 }],
  ])('%j runs again so', (lines, restart) => {
    expect(processWith(lines).restart).toMatchObject(restart);
  });

  it.each([
    ['umask: 022', { umask: 0o22 }],
    ['user: 1000:50', { user: '1000', group: '50' }],
    ['user: 1000\ngroup: wheel', { user: '1000', group: 'wheel' }],
    [
      'ulimits: {nofile: 5, core: -1, nproc: {soft: 1, hard: unlimited}}',
      {
        limits: [
          { resource: 'nofile', soft: 5, hard: 5 },
          { resource: 'core', soft: null, hard: null },
          { resource: 'nproc', soft: 1, hard: null },
        ],
      },
    ],
    [
      'environment: {A: 1.10, B: yes, C: 010, D: "x", E: , F: }',
      { envSet: { A: '1.10', B: 'yes', C: '010', D: 'x', F: 'own' } },
    ],
    ['environment: [A=1=2, F, E, "x-y=3"]', { envSet: { A: '1=2', F: 'own', 'x-y': '3' } }],
    ['stdin_open: true', { stdinNull: false }],
    ['ready: {fd: 3}', { readyFd: 3 }],
    ['tty: true', { tty: true }],
    ['start_timeout: forever', { startTimeoutMs: null }],
    ['working_dir: sub', { cwd: 'sub' }],
    [
      'logging: {driver: file, path: /l/a.log, max_size: 1.5k}',
      { output: { driver: 'file', path: '/l/a.log', maxBytes: 1536, maxFiles: 5, timestamps: false } },
    ],
  ])('%j is launched so', (lines, launch) => {
    expect(processWith(lines, { env: { F: 'own' } }).launch).toMatchObject(launch);
  });

  it.each([
    ['healthcheck: {test: [CMD, a, b]}', { kind: 'exec', command: { exec: ['a', 'b'] } }],
    ['healthcheck: {test: [CMD-SHELL, a b]}', { kind: 'exec', command: { shell: 'a b' } }],
    ['healthcheck: {test: a b}', { kind: 'exec', command: { shell: 'a b' } }],
    ['healthcheck: {tcp: "[::1]:80"}', { kind: 'tcp', host: '::1', port: 80 }],
  ])('%j asks so', (lines, probe) => {
    expect(processWith(lines).health).toEqual({
      probe,
      intervalMs: 30_000,
      timeoutMs: 30_000,
      retries: 3,
      startPeriodMs: 0,
      startIntervalMs: 1000,
      onUnhealthy: 'restart',
    });
  });

  it.each(['{test: NONE}', '{test: [NONE]}', '{test: x, disable: true}', '{disable: true}'])(
    'healthcheck: %s is none',
    (text) => {
      expect(processWith(`healthcheck: ${text}`)).toMatchObject({ health: null, watchdogMs: null });
    },
  );

  it('S31 S33 depends on each replica, on any condition, in both spellings', () => {
    const plan = planOf(
      'processes: {db: {command: x, replicas: 2, healthcheck: {tcp: 1}}, a: {command: x}, web: {command: x, depends_on: {db: {condition: service_healthy}, a: {condition: service_completed_successfully}}}, b: {command: x, depends_on: [a]}}',
    );
    expect(plan.processes.map(({ name }) => name)).toEqual(['db.1', 'db.2', 'a', 'web', 'b']);
    expect(plan.processes.map(({ launch }) => launch.envSet.GSUP_REPLICA)).toEqual([
      '1',
      '2',
      undefined,
      undefined,
      undefined,
    ]);
    expect(plan.processes[3]?.dependsOn).toEqual([
      { on: 'db.1', condition: 'healthy' },
      { on: 'db.2', condition: 'healthy' },
      { on: 'a', condition: 'completed_successfully' },
    ]);
    expect(plan.processes[4]?.dependsOn).toEqual([{ on: 'a', condition: 'ready' }]);
  });
});

describe('stop', () => {
  const term = { action: 'signal', signal: 15, target: 'group', waitMs: 8000 };
  it.each([
    ['stop_signal: SIGINT\nstop_grace_period: 1m', [{ ...term, signal: 2, waitMs: 60_000 }]],
    [
      'stop: {signal: TERM, hold: 2s, pre_stop: x, target: tree}',
      [
        { action: 'wait', waitMs: 2000 },
        { action: 'exec', command: { shell: 'x' }, waitMs: 10_000 },
        { ...term, target: 'tree' },
      ],
    ],
    [
      'stop: {ladder: [{signal: TERM}, {exec: [x], wait: 1s}, {http_post: "http://h/"}, {wait: forever}, "INT:2s"]}',
      [
        term,
        { action: 'exec', command: { exec: ['x'] }, waitMs: 1000 },
        { action: 'http_post', url: 'http://h/', waitMs: 8000 },
        { action: 'wait', waitMs: null },
        { ...term, signal: 2, waitMs: 2000 },
      ],
    ],
  ])('%j is this ladder', (lines, ladder) => {
    expect(processWith(lines).ladder).toEqual(ladder);
  });

  it('has hooks beside the ladder', () => {
    const { mustDrain, ladder, postStop, waits } = processWith(
      'stop: {must_drain: true, retry: 1s, busy: b, post_stop: [p], ladder: [{exec: d}, {signal: INT}]}',
    );
    expect({ mustDrain, first: ladder[0], postStop, waits }).toEqual({
      mustDrain: { retryMs: 1000 },
      first: { action: 'busy', command: { shell: 'b' }, waitMs: null },
      postStop: { exec: ['p'] },
      waits: 'rung',
    });
  });

  it('S22 levels: who nobody depends on stops first, however long the chains of others are', () => {
    const on = (names: string) => `depends_on: [${names}]`;
    const { processes } = planOf(
      `processes: {a: {command: x}, b: {command: x, ${on('a')}}, c: {command: x, ${on('b')}}, alone: {command: x}, last: {command: x, final: true}, first: {command: x, final: true}}`,
    );
    expect(Object.fromEntries(processes.map(({ name, level }) => [name, level]))).toEqual({
      a: 0,
      b: 1,
      c: 2,
      alone: 2,
      last: 0,
      first: 0,
    });
  });
});

describe('variables', () => {
  const env = { A: 'a', EMPTY: '', DOLLAR: '$A' };
  it.each([
    ['$A-${A}', 'a-a'],
    ['${A:-b}${NONE:-b}${EMPTY:-b}${EMPTY-b}', 'abb'],
    ['${NONE:-${A}x}', 'ax'],
    ['${A:+b}${NONE:+b}', 'b'],
    ['$$A $${A} $ $1', '$A ${A} $ $1'],
    ['${DOLLAR}', '$A'],
    ['${FILE}', 'from .env'],
    ['[${NONE}]', '[]'],
    ['${constructor}', ''],
  ])('%s is %j', (text, value) => {
    const loaded = load(
      {
        'gsup.yaml': `processes: {a: {command: [x, '${text}']}}`,
        '.env': '# c\nexport FILE="from .env" # c\nA=other\n',
      },
      { env },
    );
    expect(configOf(loaded).processes[0]?.launch.argv[1]).toBe(value);
  });

  it.each([
    ['echo $A ${A} ${NONE} $NONE ${NONE:-x} ${x%.*}', 'echo $A a ${NONE} $NONE ${NONE:-x} ${x%.*}'],
    ['echo $$HOME', 'echo $HOME'],
  ])('in a shell command %s is %s', (text, value) => {
    const lines = `stop: {pre_stop: '${text}'}\nhealthcheck: {test: [CMD-SHELL, '${text}']}`;
    const { ladder, health } = processWith(lines, { env });
    expect(ladder[0]).toMatchObject({ command: { shell: value } });
    expect(health?.probe).toMatchObject({ command: { shell: value } });
  });

  it('warns of what is not set, with its place', () => {
    const loaded = loadText('processes:\n  a:\n    command: [x, "${NONE}"]\n');
    expect(loaded.warnings).toEqual([
      {
        file: 'gsup.yaml',
        line: 3,
        column: 18,
        message: '"processes.a.command[1]": NONE is not set, an empty text is taken for it',
      },
    ]);
  });

  it.each([
    ['${NONE:?say it}', 'NONE must be set: say it'],
    ['${NONE?}', 'NONE must be set'],
    ['${A', 'a variable like ${NAME} is needed (write $$ for a dollar), got "${A"'],
    ['${1x}', 'a variable like ${NAME} is needed'],
  ])('S39 refuses %s', (text, rule) => {
    expect(problemsOf(loadText(`processes: {a: {command: [x, '${text}']}}`)).join()).toContain(
      `gsup.yaml:1:30: cannot use "processes.a.command[1]": ${rule}`,
    );
  });

  it.each([
    ['A=1\nB=$A-$HOST-${NONE:-x}', { A: '1', B: '1-here-x' }],
    ['A="<$HOST>"\nB=\'<$HOST>\'\nC=a$$b\nD="\\$HOST"', { A: '<here>', B: '<$HOST>', C: 'a$b', D: '$HOST' }],
    ['HOST=there\nA=$HOST', { HOST: 'there', A: 'here' }],
    ['A=$DOT', { A: 'of .env' }],
    ['A=$NONE.', { A: '.' }],
  ])('S39 in env_file are put in as Compose does: %j', (text, expected) => {
    const files = {
      'gsup.yaml': 'processes: {a: {command: x, env_file: v.env}}',
      'v.env': text,
      '.env': 'DOT="of .env"',
    };
    const loaded = load(files, { env: { HOST: 'here' } });
    expect(configOf(loaded).processes[0]?.launch.envSet).toEqual(expected);
    const warned = loaded.warnings.map(({ line, message }) => `${line} ${message}`);
    expect(warned.join()).toMatch(
      text.includes('$NONE') ? /^1 "[^"]*v\.env": NONE is not set, an empty text/ : /^$/,
    );
  });

  it('S39 in one env_file are those of the one before it, and of the environment first', () => {
    const files = {
      'gsup.yaml': 'processes: {a: {command: x, env_file: [one.env, two.env]}}',
      'one.env': 'HOST=file\nA=1',
      'two.env': 'B=$HOST-$A',
    };
    const loaded = load(files, { env: { HOST: 'here' } });
    expect(configOf(loaded).processes[0]?.launch.envSet).toEqual({ HOST: 'file', A: '1', B: 'here-1' });
  });

  it('S39 in .env too, and a broken one has its place', () => {
    const files = { 'gsup.yaml': 'processes: {a: {command: "x ${B}"}}', '.env': 'A=1\nB=$A$HOST' };
    expect(configOf(load(files, { env: { HOST: 'here' } })).processes[0]?.launch.argv.at(-1)).toContain(
      'x 1here',
    );
    const broken = { ...files, '.env': 'A=1\n B=${A' };
    expect(problemsOf(load(broken)).join()).toMatch(
      /\.env:2:2: cannot read "[^"]*\.env": a variable like \$\{NAME\}/,
    );
  });

  it('are nearer to the process, the more they count', () => {
    const files = {
      'sub/gsup.yaml':
        'env_file: task.env\nenvironment: {B: task, C: task}\nprocesses: {a: {command: x, env_file: [own.env], environment: {D: own}}}',
      'sub/task.env': 'A=file\nB=file\nC=file\nD=file',
      'sub/own.env': "C='own file'\nD=own file",
    };
    expect(configOf(load(files, { files: ['sub/gsup.yaml'] })).processes[0]?.launch.envSet).toEqual({
      A: 'file',
      B: 'task',
      C: 'own file',
      D: 'own',
    });
  });
});

describe('include', () => {
  it('takes processes of other files, relative to the file that names them, and lets the naming file win', () => {
    const files = {
      'gsup.yaml': 'include: sub/a.yaml\nstop_budget: 1m\nprocesses: {web: {command: x, depends_on: [db]}}',
      'sub/a.yaml':
        'include: [b.yaml]\nstop_budget: 2m\nmax_failures: 5\nprocesses: {db: {command: "${V}", env_file: v.env}}',
      'sub/b.yaml': 'processes: {cache: {command: y}}',
      'sub/.env': 'V=from sub',
      'sub/v.env': 'X=1',
    };
    const config = configOf(load(files));
    expect(config).toMatchObject({ stopBudgetMs: 60_000, maxFailures: 5 });
    expect(config.processes.map(({ name }) => name).sort()).toEqual(['cache', 'db', 'web']);
    expect(config.processes.find(({ name }) => name === 'db')?.launch).toMatchObject({
      argv: ['/bin/sh', '-c', 'from sub'],
      envSet: { X: '1' },
    });
  });

  it('S39 shows a circle, a double and a problem in the file that has it', () => {
    const files = {
      'gsup.yaml': 'include:\n  - a.yaml\nprocesses: {web: {command: x}}',
      'a.yaml': 'include: gsup.yaml\nprocesses: {web: {command: x}, b: {comand: y}}',
    };
    expect(problemsOf(load(files, { files: ['gsup.yaml'] }))).toEqual([
      'gsup.yaml:3:13: cannot use "processes.web": each process is written once, got it in "a.yaml" line 2 too',
      'a.yaml:1:10: cannot use "include": a file cannot include itself, got gsup.yaml -> a.yaml -> gsup.yaml',
      expect.stringContaining('a.yaml:2:32: cannot use "processes.b.command"'),
      expect.stringContaining('a.yaml:2:36: cannot use "processes.b.comand"'),
    ]);
  });

  it('reads a file once that two others include', () => {
    const files = {
      'gsup.yaml': 'include: [a.yaml, b.yaml]',
      'a.yaml': 'include: c.yaml\nprocesses: {a: {command: x}}',
      'b.yaml': 'include: c.yaml\nprocesses: {b: {command: x}}',
      'c.yaml': 'processes: {c: {command: x}}',
    };
    expect(
      configOf(load(files))
        .processes.map(({ name }) => name)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
  });
});

describe('a Procfile', () => {
  it('is processes for a shell, with .env as their environment', () => {
    const files = {
      Procfile: '# all\nweb: node server.js --port $PORT\n\nworker:  ./work  \r\n',
      '.env': 'PORT=80\nSHARED=file',
    };
    const { processes } = configOf(load(files, { env: { SHARED: 'own' } }));
    expect(processes.map(({ name, launch }) => [name, launch.argv[2]])).toEqual([
      ['web', 'node server.js --port $PORT'],
      ['worker', './work'],
    ]);
    expect(processes[0]?.launch.envSet.PORT).toBe('80');
  });

  it.each([
    [
      'web node',
      'Procfile:1:1: cannot read "Procfile": a line like "web: node server.js" is needed, got "web node"',
    ],
    ['a: x\na: y', 'Procfile:2:1: cannot read "Procfile": each name is written once, got "a" twice'],
    [
      '.x: y',
      'Procfile:1:1: cannot use "processes..x": a name is at most 64 letters, digits, _, . and -, the first no . or -',
    ],
  ])('S39 %j', (text, problem) => {
    expect(problemsOf(load({ Procfile: text }))).toContain(problem);
  });
});

describe('anchors and x- keys', () => {
  it('are taken as YAML and Compose have them', () => {
    const text = `
x-base: &base {nice: 3, umask: 027}
x-more: &more {nice: 4, tty: true}
processes:
  x-note: nothing
  a: {<<: *base, command: &cmd [app], nice: 5}
  b: {<<: [*base, *more], command: *cmd, x-owner: me}
`;
    const [a, b] = configOf(loadText(text)).processes.map(({ launch }) => launch);
    expect(a).toMatchObject({ nice: 5, umask: 0o27, argv: ['app'] });
    expect(b).toMatchObject({ nice: 3, umask: 0o27, argv: ['app'], tty: true });
  });
});

describe('gsup up PROCESS...', () => {
  const text =
    'main: web\nprocesses: {db: {command: x}, web: {command: x, depends_on: [db]}, mail: {command: x}, e: {command: x, ephemeral: true}}';
  it('is those and what they depend on', () => {
    expect(configOf(loadText(text, { only: ['web'] }))).toMatchObject({
      main: 'web',
      processes: [{ name: 'db' }, { name: 'web' }],
    });
    expect(configOf(loadText(text, { only: ['mail'] })).main).toBe(null);
  });

  it.each([
    ['wep', 'there is no process "wep"; did you mean web?'],
    ['e', 'of e none is neither ephemeral nor final'],
  ])('S39 %s', (name, rule) => {
    expect(problemsOf(loadText(text, { only: [name] })).join()).toContain(rule);
  });
});

it('the digest changes with what the config means, and with nothing else', () => {
  const digest = (text: string, env = {}) => planOf(text, { env }).configDigest;
  const text = 'processes: {a: {command: [x, "${A:-1}"]}}';
  expect(digest(`# a comment\n${text}`)).toBe(digest(text, { B: '1' }));
  expect(digest(text, { A: '2' })).not.toBe(digest(text));
});
