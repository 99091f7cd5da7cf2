// Tells from a task's folder alone how each of its runs ended, also long after everything has ended.
//
//   node examples/library/read-checkpoint.mjs /run/gsup/shop
import { readCheckpoint } from 'gsup';

const [, , folder = '/run/gsup/web'] = process.argv;
const { records, problem } = readCheckpoint(folder);
for (const record of records) {
  if (record.type !== 'run-ended') continue;
  const how = record.signal ?? `exit code ${record.code}`;
  const cpuMs = record.rusage ? (record.rusage.user_us + record.rusage.sys_us) / 1000 : 0;
  console.log(
    `${record.at} ${record.run}: ${how}${record.forced ? ', forced' : ''}, ${cpuMs.toFixed(0)} ms of CPU`,
  );
}
if (problem !== null) console.error(problem);
