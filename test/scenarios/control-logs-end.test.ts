// What is written in the last moment of a task reaches who follows over the API, however the task ends.
import { expect } from 'vitest';
import { connectTo } from '../../src/control/client.ts';
import type { Gsup } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const UP = { modes: ['supervisor'], rings: ['subreaper'] } as const;
const PLAIN = { modes: ['order'], rings: ['subreaper'] } as const;

/** With what stands before each in a copy, less than the half of one that is always kept. */
const LINES = 500;
const numbered = Array.from({ length: LINES }, (_, at) => `line ${String(at).padStart(4, '0')}`);

/** Says that it is there, and writes all its lines in the moment in which it ends: by itself after SIGUSR1, or by a stop. */
const AWK = `BEGIN { for (i = 0; i < ${LINES}; i++) printf "line %04d %080d\\n", i, 0; printf "no end" }`;
const SCRIPT = `trap "exec /usr/bin/awk '$AWK'" TERM USR1; echo ready; while :; do sleep 0.05; done`;
const COMMAND = ['sh', '-c', SCRIPT];
/** In a config a dollar that is the shell's is written twice. */
const command = COMMAND.map((word) => word.replaceAll('$', '$$$$'));
const writer = { command, environment: { AWK }, logging: { driver: 'prefix' } };
const sleeper = { command: ['sleep', '600'] };

async function upWith(trial: Trial, config: object): Promise<Gsup> {
  const gsup = await trial.up(config);
  await gsup.record('run-started');
  return gsup;
}

/** `end`: what the end comes from. A shell has words of its own on stderr when a child of it is killed. Two follow, each of whom hears everything once and in order. */
async function hearsAll(gsup: Gsup, names: readonly string[], end: () => void): Promise<void> {
  const heard: string[][] = [[], []];
  const following = heard.map(async (lines) => {
    for await (const line of connectTo(gsup.folder, 't').logs(names, { follow: true, stream: 'stdout' }))
      lines.push(`${line.process} ${'missed' in line ? 'missed' : line.msg.replace(/ 0{80}$/, '')}`);
  });
  const all = Promise.all(following);
  // What fails is told below.
  all.catch(() => {});
  await Promise.race([
    all,
    until('first lines', () => heard.every((lines) => lines.length === names.length), 60_000),
  ]);
  end();
  expect((await gsup.ended()).code).toBe(0);
  await all;
  const wanted = ['ready', ...numbered, 'no end'];
  for (const lines of heard)
    for (const name of names) {
      const own = lines.filter((line) => line.startsWith(`${name} `));
      expect(own).toEqual(wanted.map((line) => `${name} ${line}`));
    }
}

const pidOf = (gsup: Gsup, process: string) =>
  Number(
    gsup.records().find((record) => record.type === 'run-started' && record.run === `${process}#1`)?.pid,
  );

scenario('a follower over the API has every line when the task ends by itself', UP, async (trial) => {
  const gsup = await upWith(trial, { processes: { a: writer } });
  await hearsAll(gsup, ['a'], () => process.kill(pidOf(gsup, 'a'), 'SIGUSR1'));
});

scenario('a follower over the API has every line when the task is stopped', UP, async (trial) => {
  const gsup = await upWith(trial, { processes: { a: writer, b: sleeper } });
  await hearsAll(gsup, ['a'], () => gsup.signal('SIGTERM'));
});

scenario('a follower over the API has every line when main ends', UP, async (trial) => {
  const gsup = await upWith(trial, { main: 'a', processes: { a: writer, b: writer } });
  // Its end is what stops the other.
  await hearsAll(gsup, ['a', 'b'], () => process.kill(pidOf(gsup, 'a'), 'SIGUSR1'));
});

scenario('a follower over the API has every line of a plain run', PLAIN, async (trial) => {
  const gsup = await trial.start(['--log', 'prefix', '--env', `AWK=${AWK}`], COMMAND, {
    withNode: true,
    mayVisit: true,
  });
  await gsup.record('run-started');
  await hearsAll(gsup, ['t'], () => gsup.signal('SIGTERM'));
});
