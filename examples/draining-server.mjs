// A server that drains. On SIGTERM (or SIGINT, which is what ^C sends) it stops accepting connections, finishes the
// requests that have begun, says how many that were, and ends with 0. It has no time-out of its own: how long the
// requests may take is said once, as `--grace`, and gsup kills the server when they have taken longer.
//
//   gsup run --grace 8s -- node examples/draining-server.mjs
//   curl 'http://127.0.0.1:8080/?ms=3000'        while this waits, stop gsup: ^C, or kill -TERM
import { createServer } from 'node:http';

let underway = 0;
let draining = false;

const server = createServer(async (request, response) => {
  underway++;
  response.once('close', () => underway--);
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  const ms = Number(new URL(request.url, 'http://server').searchParams.get('ms'));
  await new Promise((resolve) => setTimeout(resolve, ms));
  // A client that keeps its connection would hold up the end.
  if (draining) response.setHeader('connection', 'close');
  response.end(`got ${bytes} bytes\n`);
});

function drain(signal) {
  if (draining) return;
  draining = true;
  server.close(() => console.log('drained'));
  console.log(`${signal}: no new connections, ${underway} underway`);
}

process.on('SIGTERM', drain);
process.on('SIGINT', drain);
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`listening on ${server.address().port}`));
