// Prints what a process of a running task writes to standard error, until the task ends.
//
//   gsup up -f examples/up/replicas.yaml &
//   node examples/library/logs.mjs web
//
// The last ten lines of each replica come first.
import { connect } from 'gsup';

const name = process.argv[2] ?? 'web';
for await (const line of connect().logs([name], { stream: 'stderr', tail: 10, follow: true }))
  if ('missed' in line) console.log(`(${line.process} was faster than this)`);
  else console.log(`${line.time} ${line.run} ${line.msg}`);
