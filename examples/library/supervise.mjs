// Runs a command until its whole process tree has ended, as `gsup run` does: what it leaves behind is stopped with it.
//
//   node examples/library/supervise.mjs
//
// This process is the supervisor: SIGTERM to it begins the stop of the command, with the grace below.
import { supervise } from 'gsup';

const { exitCode } = await supervise(['sh', '-c', 'sleep 600 & echo working; exit 7'], {
  grace: '5s',
  exitMap: ['7=0'],
  logLevel: 'error',
});
console.log(`gsup run would have exited with ${exitCode}`);
process.exitCode = exitCode;
