// Restarts a process of a running task, and follows the task's events until the new run is there.
//
//   gsup up -f examples/up/replicas.yaml &
//   node examples/library/connect.mjs web.1
//
// The task is found as the command line finds it: by $GSUP_TASK, or because it is the only one that lives.
import { connect } from 'gsup';

const name = process.argv[2] ?? 'web';
const client = connect();
const { task, processes } = await client.status({ usage: false });
console.log(`${task.name}: ${processes.map((each) => `${each.name} ${each.state}`).join(', ')}`);

// What happens from here on is not missed: the stream is open before the restart is asked for.
const events = client.events({ cursor: 'now', onOpen: () => void restart() });
let asked = false;

async function restart() {
  if (asked) return;
  asked = true;
  const { processes: changed } = await client.restart([name]);
  console.log(`restarting ${changed.join(', ')}`);
}

for await (const { record } of events) {
  if (record.type === 'run-ended') console.log(`${record.run} has ended`);
  if (record.type !== 'run-started' || !String(record.run).startsWith(`${name}#`)) continue;
  console.log(`${record.run} has been started`);
  break;
}
