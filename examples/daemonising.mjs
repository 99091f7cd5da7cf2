// A program that daemonises: it starts a daemon in a session of its own, waits until that is up, and ends with 0. Most
// inits take this end for the end of everything, and the kernel then kills the daemon. gsup is the daemon's new parent:
// it sees that something is left, sends it SIGTERM, and waits as long as `--grace` says, so that the daemon can remove
// its pid file. The exit code is the starter's. (A daemon that is to go on serving has to stay in the foreground,
// under gsup as under any init: `nginx -g 'daemon off;'`, `redis-server --daemonize no`.)
//
//   gsup run -- node examples/daemonising.mjs /tmp/daemon.pid
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';

const [file = 'daemon.pid', role] = process.argv.slice(2);

if (role === 'daemon') beDaemon();
else startDaemon();

function startDaemon() {
  const options = { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] };
  const daemon = spawn(process.execPath, [process.argv[1], file, 'daemon'], options);
  daemon.once('message', () => {
    console.log('starter: the daemon is up, ending');
    daemon.disconnect();
    daemon.unref();
  });
}

function beDaemon() {
  writeFileSync(file, `${process.pid}\n`);
  const life = setInterval(() => {}, 60_000);
  process.once('SIGTERM', () => {
    console.log('daemon: SIGTERM');
    rmSync(file);
    console.log('daemon: pid file removed');
    clearInterval(life);
  });
  process.send('up');
}
