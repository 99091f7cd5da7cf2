// Captured output: what arrives, how it looks, and that nothing of it is lost. Rotation and terminals: test/host/output-cases.ts.
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { findPrograms } from '../support/processes.ts';
import { pumpOf } from '../support/pump.ts';
import { readIfThere } from '../support/read.ts';
import type { Line } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectWithin, theOne } from '../support/story.ts';
import { until } from '../support/until.ts';

/** What writes-lines writes. */
const lines = (count: number, size: number, stream: 'out' | 'err' = 'out'): string =>
  Array.from({ length: count }, (_, n) =>
    `${stream} ${String(n).padStart(7, '0')} `.padEnd(size - 1, 'x').concat('\n'),
  ).join('');
const writes = (...words: readonly (string | number)[]) => [fixture('writes-lines'), ...words.map(String)];
/** Sizes would make a difference of megabytes unreadable. */
const expectSame = (got: string, expected: string): void => {
  const at = [...got].findIndex((char, i) => char !== expected[i]);
  if (got !== expected)
    throw new Error(
      `differs at ${at} of ${expected.length}, ${got.length} came: ${JSON.stringify(got.slice(Math.max(0, at - 90), at + 90))}`,
    );
};
/** Without what gsup itself says there. */
const childLines = (text: string): string => text.replaceAll(/^\{"level".*\n/gm, '');
const withoutPrefix = (text: string): string => text.replaceAll(/^t \| /gm, '');

scenario(
  'S57 prefix: each line with its process, stderr apart, the last line without newline too',
  {},
  async (trial) => {
    const script = 'echo one; echo two >&2; printf "\\n\\033[31mred\\n"; echo three >&2; printf last';
    const gsup = await trial.start(['--log', 'prefix'], ['sh', '-c', `${script}; exit 3`]);
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.text()).toBe('t | one\nt | \nt | \u001b[31mred\nt | last\n');
    expect(childLines(gsup.stderr.text())).toBe('t | two\nt | three\n');
  },
);

scenario('S57 json: an object a line, whatever the bytes are', {}, async (trial) => {
  const script = 'printf "a\\"b\\\\\\\\ \\001\\377\\303\\n"; printf "\\303\\274\\000end\\n" >&2; printf last';
  const gsup = await trial.start(['--log', 'json'], ['sh', '-c', script]);
  expect((await gsup.ended()).code).toBe(0);
  const of = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const common = {
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    process: 't',
    run: 't#1',
  };
  expect(of(gsup.stdout.text())).toEqual([
    { ...common, stream: 'stdout', msg: 'a"b\\ \u0001\ufffd\ufffd' },
    { ...common, stream: 'stdout', msg: 'last' },
  ]);
  expect(of(childLines(gsup.stderr.text()))).toEqual([{ ...common, stream: 'stderr', msg: 'ü\0end' }]);
  const [at = ''] = of(gsup.stdout.text()).map(({ time }) => time as string);
  expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(120_000);
});

scenario(
  'S57 a very long line comes in pieces of 16 KiB, between characters, and none of it is lost',
  {},
  async (trial) => {
    const script = 'i=0; while [ $i -lt 20000 ]; do printf "€"; i=$((i+1)); done; echo; echo next';
    const gsup = await trial.start(['--log', 'json'], ['sh', '-c', script]);
    expect((await gsup.ended()).code).toBe(0);
    const pieces = gsup.stdout
      .text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; partial?: true });
    expect(pieces.map(({ msg }) => msg).join('')).toBe(`${'€'.repeat(20_000)}next`);
    expect(pieces.map(({ partial }) => partial)).toEqual([true, true, true, undefined, undefined]);
    expect(pieces.map(({ msg }) => Buffer.byteLength(msg)).every((size) => size <= 16_384)).toBe(true);
  },
);

scenario('S57 file: both streams, each in its order, binary as it was', {}, async (trial) => {
  const path = join(trial.folder, 'out.log');
  const gsup = await trial.start(['--log', `file:${path}`], writes('--lines', 5000, '--errors', '--on-term'));
  await until('"ready"', () => existsSync(path) && readFileSync(path, 'utf8').startsWith('ready\n'), 20_000);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  const got = readFileSync(path, 'utf8');
  expectSame(got.replaceAll(/^(?:err.*|ready)\n/gm, ''), lines(5000, 80));
  expectSame(got.replaceAll(/^(?:out.*|ready)\n/gm, ''), lines(5000, 80, 'err'));
  expect(gsup.stdout.text()).toBe('');
  const random = join(trial.folder, 'random');
  const script = `head -c 100000 /dev/urandom > ${random}; echo >> ${random}; cat ${random}`;
  const second = await trial.start(['--log', `file:${path}.2`, '--name', 'u'], ['sh', '-c', script], {
    withNode: true,
    name: null,
  });
  expect((await second.ended()).code).toBe(0);
  expect(readFileSync(`${path}.2`).equals(readFileSync(random))).toBe(true);
});

scenario('a log that cannot be written is a failed start, and said so', {}, async (trial) => {
  const gsup = await trial.start(['--log', 'file:/nonexistent/x'], ['true']);
  expect((await gsup.ended()).code).toBe(126);
  expect(gsup.stderr.text()).toMatch(/output.*No such file|ENOENT/);
});

scenario('S57 what is written while it stops arrives whole and in order', {}, async (trial) => {
  const gsup = await trial.start(
    ['--log', 'prefix', '-g', '60s'],
    writes('--on-term', '--lines', 8000, '--size', 1000),
  );
  await gsup.stdout.line(/^t \| ready$/);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expectSame(withoutPrefix(gsup.stdout.text()), `ready\n${lines(8000, 1000)}`);
});

/** Kills what `find` finds, and what comes in its place, until that is enough. Returns how often. */
async function killUntil(
  find: () => number | undefined,
  isEnough: (kills: number) => boolean,
): Promise<number> {
  let kills = 0;
  let last = 0;
  await until(
    'enough kills',
    () => {
      const pid = find();
      if (pid !== undefined && pid !== last) {
        last = pid;
        try {
          process.kill(pid, 'SIGKILL');
          kills++;
        } catch {} // it has gone by itself
      }
      return isEnough(kills);
    },
    100_000,
  );
  return kills;
}

/** What is written last is in it: pipes and buffers hold less. */
function endOf(path: string): string {
  const bytes = Buffer.alloc(1024 * 1024);
  const fd = openSync(path, 'r');
  try {
    const from = Math.max(0, fstatSync(fd).size - bytes.length);
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, from));
  } finally {
    closeSync(fd);
  }
}

const storm = { alone: true, timeoutMs: 180_000 } as const;

scenario(
  'S72 the pump is killed again and again: a file has every line, once and in order',
  storm,
  async (trial) => {
    const path = join(trial.folder, 'out.log');
    const gsup = await trial.start(
      ['--log', `file:${path}`],
      writes('--until-usr1', '--size', 1000, '--errors'),
    );
    await killUntil(pumpOf(gsup), (kills) => kills >= 5);
    gsup.signal('SIGUSR1');
    await until('the last line', () => existsSync(path) && endOf(path).includes('written '), 60_000);
    gsup.signal('SIGTERM');
    await gsup.ended();
    const got = readFileSync(path, 'utf8');
    const written = Number(/^written (\d+)$/m.exec(got)?.[1]);
    expectSame(got.replaceAll(/^(?:err.*|ready|written.*)\n/gm, ''), lines(written, 1000));
    expectSame(got.replaceAll(/^(?:out.*|ready|written.*)\n/gm, ''), lines(written, 1000, 'err'));
    expect(gsup.stderr.text().match(/the pump ended/g)).toHaveLength(1);
  },
);

scenario('S72 on a pipe at most the last write of each kill comes twice', storm, async (trial) => {
  const gsup = await trial.start(['--log', 'prefix'], writes('--until-usr1', '--size', 1000));
  const kills = await killUntil(pumpOf(gsup), (times) => times >= 5);
  gsup.signal('SIGUSR1');
  await until('the last line', () => gsup.stdout.text().includes('t | written '), 60_000);
  gsup.signal('SIGTERM');
  await gsup.ended();
  const numbers = [...gsup.stdout.text().matchAll(/out (\d{7}) /g)].map(([, number]) => Number(number));
  const steps = numbers.map((number, i) => number - (numbers[i - 1] ?? -1));
  expect(Math.max(...steps), 'none is missing').toBe(1);
  expect(steps.filter((step) => step < 1).length, 'one repetition a kill').toBeLessThanOrEqual(kills);
});

scenario(
  'S59 S42 the supervisor is killed again and again: every line arrives once, in order',
  { ...storm, modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start(['--log', 'prefix'], writes('--lines', 30_000, '--size', 1000));
    await gsup.stdout.line(/^t \| ready$/);
    const supervisor = () => findPrograms(gsup.pid, 'node')[0];
    const kills = await killUntil(supervisor, () => gsup.stdout.text().includes('t | written '));
    gsup.signal('SIGTERM');
    await gsup.ended();
    expect(kills).toBeGreaterThan(0);
    expectSame(withoutPrefix(gsup.stdout.text()), `ready\n${lines(30_000, 1000)}written 30000\n`);
  },
);

/** The lines of writes-lines, without having megabytes of them twice. Returns how many there are. */
function countLines(paths: readonly string[], size: number): number {
  let number = 0;
  for (const path of paths) {
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += size, number++) {
      const line = bytes.toString('latin1', at, at + size);
      if (line !== lines(1, size).replace('0000000', String(number).padStart(7, '0')))
        throw new Error(`line ${number} at ${at} of ${path} is ${JSON.stringify(line.slice(0, 90))}`);
    }
  }
  return number;
}

scenario(
  'S57 up: 100 MB that are written while it stops arrive whole and in order',
  { ...storm, modes: ['supervisor'] },
  async (trial) => {
    const path = join(trial.folder, 'out.log');
    const gsup = await trial.up({
      processes: {
        t: {
          command: writes('--on-term', '--lines', 100_000, '--size', 1000),
          ready: { log: '^ready$' },
          stop: { grace: '120s' },
          logging: { driver: 'file', path, max_size: '1GB' },
        },
      },
    });
    await gsup.record('run-ready');
    gsup.signal('SIGTERM');
    expect((await gsup.ended(170_000)).code).toBe(0);
    writeFileSync(path, readFileSync(path).subarray('ready\n'.length));
    expect(countLines([path], 1000)).toBe(100_000);
  },
);

scenario(
  'S59 S72 S42 up: files that rotate have every line once, however often pump and supervisor are killed',
  { ...storm, modes: ['supervisor'] },
  async (trial) => {
    const path = join(trial.folder, 'out.log');
    const gsup = await trial.up({
      processes: {
        t: {
          command: writes('--until-usr1', '--size', 1000),
          logging: { driver: 'file', path, max_size: '10MB', max_files: 1000 },
        },
      },
    });
    const supervisor = () => findPrograms(gsup.pid, 'node')[0];
    const rotated = (times: number) => until(`file ${times}`, () => existsSync(`${path}.${times}`), 60_000);
    await killUntil(pumpOf(gsup), (kills) => kills >= 3);
    await rotated(1);
    await killUntil(supervisor, (kills) => kills >= 2);
    await rotated(2);
    await killUntil(pumpOf(gsup), (kills) => kills >= 2);
    process.kill(gsup.find('writes-lines')[0] ?? 0, 'SIGUSR1');
    await until('the last line', () => existsSync(path) && endOf(path).includes('written '), 60_000);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    const files = readdirSync(trial.folder).filter((name) => name.startsWith('out.log'));
    const paths = Array.from({ length: files.length }, (_, at) =>
      at === 0 ? path : `${path}.${at}`,
    ).reverse();
    expect(paths.length).toBeGreaterThan(2);
    for (const file of paths) expect(statSync(file).size).toBeLessThanOrEqual(10 * 1024 * 1024);
    const [first = '', last = ''] = [paths[0], path];
    writeFileSync(first, readFileSync(first).subarray('ready\n'.length));
    const written = Number(/^written (\d+)\n$/m.exec(readFileSync(last, 'latin1'))?.[1]);
    writeFileSync(last, readFileSync(last).subarray(0, -`written ${written}\n`.length));
    expect(countLines(paths, 1000)).toBe(written);
  },
);

/** gsup's stdout is a pipe that nobody reads. */
const stalled = ['sh', '-c', 'exec 3<>stalled; exec "$@" >&3', 'sh'];

async function startStalled(trial: Trial, options: readonly string[]) {
  const { execFileSync } = await import('node:child_process');
  execFileSync('mkfifo', [join(trial.folder, 'stalled')]);
  return trial.start(options, writes('--lines', 3000, '--size', 1000), { before: stalled });
}

scenario(
  'S71 a reader of stdout that stalls for ever does not hold up the end: what is undelivered is said',
  {},
  async (trial) => {
    const gsup = await startStalled(trial, ['--log', 'prefix', '-g', '1s']);
    const copy = join(gsup.folder, 'logs/t');
    await until(
      'back-pressure',
      () => [copy, `${copy}~1`].some((file) => readIfThere(file).includes('out 0000120')),
      20_000,
    );
    gsup.signal('SIGTERM');
    await gsup.ended(30_000);
    const [record] = gsup.records().filter(({ type }) => type === 'undelivered');
    // What fits into two pipes, the stream's buffer and one write.
    expect(Number(record?.bytes)).toBeGreaterThan(65_536);
    expect(Number(record?.bytes)).toBeLessThan(400_000);
    expect(gsup.stderr.text()).toContain(`${record?.bytes} bytes of output were not delivered`);
    // A supervisor has written its last record before init is told to end.
    const last = trial.mode === 'order' ? 'task-state' : 'undelivered';
    expect(gsup.records().at(-1)?.type).toBe(last);
  },
);

scenario('S71 a stop budget bounds the delivery too', { modes: ['order'] }, async (trial) => {
  const gsup = await startStalled(trial, ['--log', 'prefix', '-g', '1s', '--stop-budget', '2s']);
  await until('output', () => existsSync(join(gsup.folder, 'logs/t')), 20_000);
  gsup.signal('SIGTERM');
  await gsup.ended(30_000);
  const [asked, end] = ['stop-requested', 'task-state'].map((type) => theOne(gsup.records(), type));
  expectWithin(asked as Line, end as Line, 3500);
});

scenario(
  'S56 a stranger that keeps a pipe of the command open does not hold up the end',
  {},
  async (trial) => {
    const gsup = await trial.start(['--log', 'prefix'], writes('--on-term', '--lines', 1));
    await gsup.stdout.line(/^t \| ready$/);
    const [command = 0] = gsup.find('writes-lines');
    const held = openSync(`/proc/${command}/fd/1`, 'w');
    trial.afterwards(() => closeSync(held));
    gsup.signal('SIGTERM');
    expect((await gsup.ended(20_000)).code).toBe(0);
    expect(withoutPrefix(gsup.stdout.text())).toBe(`ready\n${lines(1, 80)}`);
    expect(gsup.records().some(({ type }) => type === 'undelivered')).toBe(false);
  },
);

scenario('S52 a full disk: no line is torn, the loss is said, the command goes on', {}, async (trial) => {
  const path = join(trial.folder, 'out.log');
  // Files of 64 KiB at most stand for a disk of that size.
  const small = ['sh', '-c', 'ulimit -f 128; exec "$@"', 'sh'];
  const gsup = await trial.start(['--log', `file:${path}`], writes('--on-term', '--lines', 3000), {
    before: small,
    brokenLogs: true,
  });
  await until('"ready"', () => existsSync(path) && readFileSync(path, 'utf8').startsWith('ready\n'), 20_000);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  const got = readFileSync(path, 'utf8');
  expect(got.length).toBeLessThanOrEqual(65_536);
  const kept = got.split('\n').slice(1, -1);
  const all = new Set(lines(3000, 80).split('\n'));
  expect(kept.every((line) => all.has(line))).toBe(true);
  const [record] = gsup.records().filter(({ type }) => type === 'undelivered');
  expect(Number(record?.bytes)).toBe(3000 * 80 + 'ready\n'.length - got.length);
  expect(gsup.stderr.text()).toContain('cannot write');
});

scenario('S58 a command of another user opens its /dev/stdout', { root: true }, async (trial) => {
  const gsup = await trial.start(
    ['--log', 'prefix', '--user', '65534:65534'],
    ['sh', '-c', 'echo there > /dev/stdout; echo too > /dev/stderr'],
  );
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.stdout.text()).toBe('t | there\n');
  expect(gsup.stderr.lines(/^t \| too$/)).toHaveLength(1);
});

scenario('S58 no descriptor of gsup is open in a captured command', {}, async (trial) => {
  const script =
    'for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do [ -e /proc/$$/fd/$n ] && echo $n; done; true';
  const gsup = await trial.start(['--log', 'prefix'], ['bash', '-c', script]);
  expect((await gsup.ended()).code).toBe(0);
  expect(withoutPrefix(gsup.stdout.text())).toBe('0\n1\n2\n');
});

scenario(
  'S49 when init is killed, nobody who cleans up waits for a reader',
  { rings: ['subreaper'], modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start(
      ['--log', 'prefix', '-g', '60s'],
      writes('--on-term', '--lines', 2000, '--size', 1000),
      {
        mayLeave: true,
        brokenLogs: true,
      },
    );
    await gsup.stdout.line(/^t \| ready$/);
    const [command = 0] = gsup.find('writes-lines');
    gsup.signal('SIGKILL');
    await gsup.ended();
    await until('the end of the command', () => !existsSync(`/proc/${command}`), 30_000);
  },
);

scenario(
  'copies have a bound for all of them: those of the processes that ended first go',
  {},
  async (trial) => {
    const first = await trial.start(['--log', 'prefix'], ['sh', '-c', 'echo one']);
    await first.ended();
    const logs = join(first.folder, 'logs');
    // 75 MiB of the past, in order.
    for (let at = 0; at < 300; at++) {
      const path = join(logs, `old.${at}${at % 2 ? '~1' : ''}`);
      writeFileSync(path, '');
      truncateSync(path, 256 * 1024);
      utimesSync(path, 1000 + at, 1000 + at);
    }
    rmSync(join(logs, 't'));
    const second = await trial.start(['--log', 'prefix'], ['sh', '-c', 'echo two']);
    await second.ended();
    const left = readdirSync(logs);
    const bytes = left.reduce((sum, name) => sum + statSync(join(logs, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
    expect(bytes).toBeGreaterThan(63 * 1024 * 1024);
    expect(left).toContain('t');
    const kept = left.filter((name) => name !== 't').map((name) => Number(/\d+/.exec(name)?.[0]));
    expect(Math.min(...kept)).toBe(300 - kept.length);
  },
);

scenario('a plain run without --log has no pump', { modes: ['order'] }, async (trial) => {
  const gsup = await trial.start([], writes('--on-term', '--lines', 0));
  await gsup.ready();
  expect(gsup.tree()).toHaveLength(1);
  gsup.signal('SIGTERM');
  await gsup.ended();
});
