/**
 * `gsup run` beside catatonit: what a command finds, hears and leaves as a code must be the same below both. gsup does not take that
 * name: what both say of themselves differs, and so does a stop.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY, type Gsup } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { type Case, original } from './peer.ts';
import { REAL_TIME, STANDARD, signalEach } from './signals.ts';

const place = original('catatonit');

async function observe(trial: Trial, init: readonly string[], wanted: Case) {
  const started: Gsup = await trial.start([], [], {
    ...wanted.settings,
    env: { GSUP_STATE_DIR: join(trial.folder, 'state'), ...wanted.env },
    instead: [...init, '--', ...wanted.words],
    brokenLogs: true,
    mayLeave: true,
  });
  await wanted.meanwhile?.(started, trial);
  const { code, signal } = await started.ended();
  return { code, signal, said: started.stdout.text().split('\n').map(withoutPids) };
}

/** catatonit leaves TSTP, TTIN and TTOU blocked in the command; below gsup its mask is as it was inherited, which test/scenarios/context.test.ts has. */
const LEFT_BLOCKED = (1n << 19n) | (1n << 20n) | (1n << 21n);

/** Of a context only what both promise: LISTEN_PID as whether it is that of the command. */
function withoutPids(line: string): unknown {
  if (!line.startsWith('{')) return line.replace(/ pid \d+ uid.*| at \d+$/g, '');
  const { pid, session: _, group, environment, ...found } = JSON.parse(line);
  const variables = environment
    .filter((entry: string) => !/^(GSUP_|LISTEN_PIDFDID=)/.test(entry))
    .map((entry: string) => entry.replace(`LISTEN_PID=${pid}`, 'LISTEN_PID is its own'));
  const descriptors = Object.keys(found.descriptors);
  const blocked = BigInt(`0x${found.blocked}`) & ~LEFT_BLOCKED;
  return { ...found, blocked, descriptors, leads: group === pid, environment: variables.sort() };
}

function alike(title: string, wanted: Case): void {
  if (place === null) {
    test.skip(`catatonit: ${title}: it is not installed`, () => {});
    return;
  }
  scenario(`catatonit: ${title}`, { modes: ['order'] }, async (trial) => {
    const theirs = await observe(trial, [place], wanted);
    expect(await observe(trial, [BINARY, 'run', '--name', 't'], wanted)).toEqual(theirs);
  });
}

for (const code of [0, 3, 255]) alike(`code ${code}`, { words: ['sh', '-c', `exit ${code}`] });
for (const signal of ['SEGV', 'KILL', 'USR1'])
  alike(`a command that dies of ${signal}`, { words: ['sh', '-c', `kill -${signal} $$`] });

const context = [fixture('prints-context')];
const oddly = (...options: string[]) => ({ before: [fixture('starts-oddly'), ...options, '--'] });
alike('what the command finds', { words: context });
alike('what it finds after an odd start', {
  words: context,
  settings: oddly('--ignore', '13', '--block', '10', '--leak', '--umask', '27'),
});
alike('sockets that were given, and LISTEN_PID', { words: context, settings: oddly('--listen', '.') });
alike('sockets that are for somebody else', {
  words: context,
  settings: oddly('--listen', '.', '--listen-pid', '4242'),
});

/** INT, QUIT and TSTP are a stop, a second one, and job control. */
const passed = STANDARD.filter((signal) => ![2, 3, 20].includes(signal));
alike('every signal that is no stop', {
  words: [fixture('reports-signals')],
  meanwhile: (init) => signalEach(init, [...passed, ...REAL_TIME]),
});
