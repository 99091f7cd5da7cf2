import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import type { CrashPoint } from './crash-point.ts';
import type { Story } from './crash-stories.ts';
import { type Crash, type Played, playStory, type Told } from './crash-trial.ts';
import type { Ring } from './gsup.ts';

/**
 * S42 with real processes. Every story is played once without a crash; then once for each write of the supervisor with
 * SIGKILL before it, within it and after it; and with SIGKILL at random moments. Nothing that a user can see may differ.
 * `npm test` plays a sample, `npm run soak:real` all of them: GSUP_TEST_CRASHES is how many random ones each story gets,
 * and with it every write is tried.
 */
const randomOnes = Number(process.env.GSUP_TEST_CRASHES ?? 0);
const isSample = randomOnes === 0;
const rings: readonly Ring[] = process.getuid?.() === 0 ? ['pid1', 'subreaper'] : ['subreaper'];
const HOWS = ['before', 'torn', 'after'] as const;
/** Trials wait more than they compute. */
const AT_ONCE = 4 * availableParallelism();

/** A test for each story. `sampleSize`: how many crashes at writes `npm test` tries. */
export function crashRing(stories: readonly Story[], sampleSize: number): void {
  for (const story of stories) crashTest(story, sampleSize);
}

function crashTest(story: Story, sampleSize: number): void {
  test.concurrent(`S42 ${story.title}: the same, wherever the supervisor is killed`, {
    timeout: isSample ? 120_000 : 3_600_000,
  }, async () => {
    const clean = await inTurn(() => play(story, 0, {}));
    expect(clean.faults).toEqual([]);
    const points = pointsOf(clean.writes);
    const exact = await tryAll(
      story,
      clean,
      isSample ? [...known(story), ...sampleOf(points, sampleSize)] : points,
    );
    const random = Array.from({ length: isSample ? 1 : randomOnes }, () => momentsOf(story));
    const anywhere = await tryAll(story, clean, random);
    if (!isSample) console.info(`${story.title}: ${exact} at writes, ${anywhere} at random moments`);
  });
}

function play(story: Story, number: number, crash: Crash): Promise<Played> {
  return playStory(story, rings[number % rings.length] as Ring, crash);
}

/** One crash at each write, in each of three ways; and two, the second one within the recovery from the first. */
function pointsOf(writes: number): Crash[] {
  const numbers = Array.from({ length: writes }, (_, index) => index + 1);
  const single = numbers.flatMap((write) => HOWS.map((how): Crash => ({ points: [{ write, how }] })));
  const second: CrashPoint[] = [
    { write: 1, how: 'after' },
    { write: 2, how: 'torn' },
    { write: 3, how: 'before' },
  ];
  const double = numbers.map(
    (write): Crash => ({ points: [{ write, how: 'after' }, second[write % 3] as CrashPoint] }),
  );
  return [...single, ...double];
}

/** Twice before any supervisor had answered: init took that for one that cannot be started, and went on without. */
function known({ title }: Story): Crash[] {
  const second: Readonly<Record<string, readonly CrashPoint[]>> = {
    'a pre-stop hook': [
      { write: 5, how: 'after' },
      { write: 3, how: 'before' },
    ],
    'an end that nobody asked for': [
      { write: 4, how: 'after' },
      { write: 2, how: 'torn' },
    ],
  };
  const points = second[title];
  return points === undefined ? [] : [{ points }];
}

/** Others each time, so that every one has its turn. */
function sampleOf(crashes: readonly Crash[], size: number): Crash[] {
  return Array.from({ length: size }, () => crashes[Math.floor(Math.random() * crashes.length)] as Crash);
}

function momentsOf(story: Story): Crash {
  const count = 1 + Math.floor(Math.random() * 2);
  const momentsMs = Array.from({ length: count }, () => Math.random() * story.lastsMs);
  return { momentsMs: momentsMs.sort((a, b) => a - b) };
}

let running = 0;
const waiting: (() => void)[] = [];

/** A trial begins when there is room for it on this machine. */
async function inTurn<T>(trial: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await trial();
  } finally {
    running--;
    waiting.shift()?.();
  }
}

/** Returns how many supervisors were killed. */
async function tryAll(story: Story, clean: Played, crashes: readonly Crash[]): Promise<number> {
  const kills = crashes.map((crash, number) => inTurn(() => tryOne(story, number, clean, crash)));
  const done = await Promise.allSettled(kills);
  const failed = done.flatMap((each) => (each.status === 'rejected' ? [String(each.reason.message)] : []));
  if (failed.length > 0)
    throw new Error(`${failed.length} of ${crashes.length} differ\n${failed.join('\n')}`);
  return done.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value : 0), 0);
}

async function tryOne(story: Story, number: number, clean: Played, crash: Crash): Promise<number> {
  const what = `${rings[number % rings.length]} ${JSON.stringify(crash)}`;
  const played = await play(story, number, crash).catch((error) => {
    throw new Error(`${what}: ${error.message}`);
  });
  const faults = [...played.faults, ...differences(clean.told, played.told)];
  if (faults.length > 0) throw new Error(`${what}:\n${faults.join('\n')}`);
  return played.kills;
}

function differences(clean: Told, crashed: Told): string[] {
  return (Object.keys(clean) as (keyof Told)[]).flatMap((name) => {
    const [before, after] = [JSON.stringify(clean[name]), JSON.stringify(crashed[name])];
    return before === after ? [] : [`  ${name}: ${after}\n  without a crash: ${before}`];
  });
}
