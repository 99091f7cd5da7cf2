/**
 * `npm run model`: explores, and says how much there was. `-- --large`: the large configurations, too; `-- NAME`: only
 * that one; `--minutes=N`: each so long at most.
 */
import { LARGE, SMALL } from './configurations.ts';
import { wayTo } from './explore.ts';
import { replayInit, replayRuns } from './replay.ts';
import { replayLoops } from './replay-loop.ts';
import { planOf } from './steps.ts';
import { traceAll } from './traces.ts';

const only = process.argv.filter((word) => !word.startsWith('--')).slice(2);
const all = process.argv.includes('--large') ? LARGE : SMALL;
const minutes = process.argv.find((word) => word.startsWith('--minutes='))?.split('=')[1];
const limit = {
  states: Number(process.env.LIMIT ?? 5_000_000),
  ...(minutes && { minutes: Number(minutes) }),
};
let bad = 0;
for (const [name, bounds] of Object.entries(only.length > 0 ? LARGE : all)) {
  if (only.length > 0 && !only.includes(name)) continue;
  const began = performance.now();
  const traces = traceAll(bounds, limit);
  const { explored } = traces;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const { states, transitions, complete, ends, troubles } = explored;
  console.log(
    `${name}: ${states} states, ${transitions} transitions, ${ends} ends, ${seconds} s${complete ? '' : ', NOT COMPLETE'}`,
  );
  for (const { what, state } of troubles) {
    bad++;
    console.log(`  ${what}`);
    for (const step of wayTo(explored, state)) {
      console.log(
        `    ${Object.values(step)
          .map((value) => (typeof value === 'bigint' ? `${value / 1_000_000n} ms` : value))
          .join(' ')}`,
      );
    }
  }
  const replays = {
    init: replayInit(traces.init, planOf(bounds)),
    coordinator: replayRuns(traces.runs),
    loop: replayLoops(traces.loops, bounds.plan),
  };
  for (const [part, replayed] of Object.entries(replays)) {
    console.log(
      `  ${part}: ${replayed.traces} traces, ${replayed.turns} turns, ${replayed.differences.length} differences`,
    );
    for (const { script, expected, seen } of replayed.differences.slice(0, 2)) {
      bad++;
      console.log(script.map((line) => `    ${line.slice(0, 100)}`).join('\n'));
      console.log(`   expected\n    ${expected.join('\n    ')}\n   seen\n    ${seen.join('\n    ')}`);
    }
  }
}
process.exitCode = bad === 0 ? 0 : 1;
