// Follows a page of the docs as a new user would: its `sh` blocks are commands, a `text` block below one is what it shows.
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { baseImage, freshName, podman, podmanEnv, tryPodman } from '../container/podman.ts';
import { pause } from '../support/until.ts';
import { root } from './pages.ts';

export interface Step {
  readonly command: string;
  /** What the page says that it prints. */
  readonly shown?: string;
}

/** What a reader calls image, container and volume; here each page has a name of its own. */
const THEIR_NAME = /\bmy-app\b/g;
/** No image is pulled. The second one is for those who have no Node.js. */
const NODE_IMAGE = /\bnode:22-slim\b/g;
const BARE_IMAGE = /\bdebian:bookworm-slim\b/g;
const ALPINE_IMAGE = /\balpine:3\.\d+\b/g;
const DISTROLESS_IMAGE = /\bgcr\.io\/distroless\/nodejs22-debian12\b/g;
const hasCurl = spawnSync('curl', ['--version']).status === 0;
/** A command under a load that is not the reader's. */
const stepMs = 180_000;

export function stepsOf(text: string): Step[] {
  const found = text.matchAll(/^```sh\n(.*?)^```\n(?:\n*```text\n(.*?)^```$)?/gms);
  return [...found].map(([, command = '', shown]) =>
    shown === undefined ? { command } : { command, shown },
  );
}

/** Whether the lines that are shown are among those that were printed, in their order. */
export function shows(printed: string, shown: string): boolean {
  const lines = printed.split('\n').map(withoutTimes);
  let at = 0;
  return linesOf(shown).every((line) => {
    const pattern = new RegExp(`^${line.split('…').map(escaped).join('.*')}$`);
    const found = lines.findIndex((one, index) => index >= at && pattern.test(one));
    at = found + 1;
    return found >= 0;
  });
}

function linesOf(shown: string): string[] {
  return shown
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(withoutTimes);
}

/** Times, pids and memory are others each time. */
function withoutTimes(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\b\d\d:\d\d:\d\d(\.\d+)?/g, 'TIME')
    .replace(/\b[\d.]+ ?(ms|s|MB)\b/g, 'N $1')
    .replace(/\bN ms\b/g, 'N s')
    .replace(/\bpid \d+/g, 'pid N')
    .replace(/\s+/g, ' ')
    .trim();
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Without containers, what needs them is left out. */
export async function follow(text: string, hasContainers: boolean): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'gsup-followed-'));
  const name = freshName();
  const standIns = STAND_INS.filter(({ image }) => new RegExp(image).test(text));
  const imageOf = ({ suffix }: StandIn) => `localhost/${name}-${suffix}`;
  const ours = (words: string) =>
    STAND_INS.reduce(
      (done, one) => done.replace(one.image, imageOf(one)),
      words.replace(THEIR_NAME, name).replace(NODE_IMAGE, baseImage),
    );
  const around = prepare(place);
  const release = /127\.0\.0\.1:\d/.test(text) ? await takePorts() : () => {};
  try {
    if (hasContainers) for (const one of standIns) await makeImage(place, imageOf(one), one);
    for (const { command, shown } of stepsOf(text))
      if ((hasContainers || !/^\s*docker /m.test(command)) && (hasCurl || !/^\s*curl /m.test(command)))
        await take(ours(command), around, shown && ours(shown));
  } finally {
    // What a page that fails halfway has left running.
    await run('gsup shutdown --now --wait || true', around);
    if (hasContainers) {
      await tryPodman('rm', '-f', '-t', '0', name);
      await tryPodman('rmi', '-f', name, ...standIns.map(imageOf));
      await tryPodman('volume', 'rm', '-f', name);
    }
    release();
    rmSync(place, { recursive: true, force: true });
  }
}

/** A page says which port it uses, so one that is followed on the same machine at the same time waits for its turn. */
async function takePorts(): Promise<() => void> {
  const held = spawn('flock', [join(tmpdir(), 'gsup-followed-ports'), 'sh', '-c', 'echo held; read line'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = new Promise<never>((_, reject) => held.once('error', reject));
  await Promise.race([new Promise((resolve) => held.stdout.once('data', resolve)), gone]);
  return () => held.stdin.end();
}

interface Around {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** An empty folder; gsup in the search path, and a checkout of it at ~/gsup; podman stands in for docker. */
function prepare(place: string): Around {
  const [cwd, home, bin] = ['work', 'home', 'bin'].map((folder) => join(place, folder)) as [
    string,
    string,
    string,
  ];
  for (const folder of [cwd, home, bin]) mkdirSync(folder);
  symlinkSync(root, join(home, 'gsup'));
  const build =
    '[ "$1" = build ] && shift && exec podman build --network=none --pull=never --layers=false "$@"';
  writeFileSync(join(bin, 'docker'), `#!/bin/sh\n${build}\nexec podman "$@"\n`, { mode: 0o755 });
  const env = {
    ...podmanEnv,
    HOME: home,
    PATH: `${bin}:${join(root, 'bin')}:${process.env.PATH}`,
    GSUP_STATE_DIR: join(place, 'state'),
  };
  return { cwd, env };
}

/** What takes the place of an image that would have to be pulled. */
interface StandIn {
  readonly image: RegExp;
  readonly suffix: string;
  readonly dockerfile: string;
  /** Files of this machine that it is made of. */
  readonly files?: readonly string[];
}

const STAND_INS: readonly StandIn[] = [
  { image: BARE_IMAGE, suffix: 'bare', dockerfile: `FROM ${baseImage}\nRUN rm /usr/bin/node\n` },
  {
    image: ALPINE_IMAGE,
    suffix: 'alpine',
    files: ['/bin/busybox'],
    dockerfile: `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "mkdir", "-p", "/usr/bin", "/usr/sbin", "/sbin", "/tmp", "/run", "/etc"]
RUN ["/bin/busybox", "--install", "-s"]
`,
  },
  {
    image: DISTROLESS_IMAGE,
    suffix: 'distroless',
    dockerfile: `FROM ${baseImage} AS whole
RUN mkdir -p /out/nodejs/bin /out/etc /out/tmp && chmod 1777 /out/tmp && cp /etc/passwd /etc/group /out/etc/ && cp /usr/bin/node /out/nodejs/bin/
RUN for lib in $(ldd /usr/bin/node | grep -o '/[^ ]*'); do mkdir -p /out$(dirname $lib); cp -L $lib /out$lib; done
FROM scratch
COPY --from=whole /out /
ENTRYPOINT ["/nodejs/bin/node"]
`,
  },
];

/** Of what would have to be there to follow a page in a container, what is not: undefined where nothing is missing. */
export function missingFor(text: string): string | undefined {
  const files = STAND_INS.filter(({ image }) => new RegExp(image).test(text)).flatMap(
    ({ files = [] }) => files,
  );
  return files.find((file) => !existsSync(file));
}

async function makeImage(place: string, name: string, { dockerfile, files = [] }: StandIn): Promise<void> {
  const folder = mkdtempSync(join(place, 'image-'));
  for (const file of files) copyFileSync(file, join(folder, basename(file)));
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  await podman('build', '-q', '--network=none', '--pull=never', '-t', name, folder);
}

async function take(command: string, around: Around, shown: string | undefined): Promise<void> {
  let { code, printed } = await run(command, around);
  const isAsShown = () => code === 0 && (shown === undefined || shows(printed, shown));
  // Who reads a page is slower than a machine: what only looks is looked at again.
  if (/^docker (logs|exec|inspect)\b/.test(command))
    for (let tries = 0; tries < 100 && !isAsShown(); tries++) {
      await pause(200);
      ({ code, printed } = await run(command, around));
    }
  expect(code, `${command}\n${printed}`).toBe(0);
  expect(isAsShown(), `${command}\nprinted:\n${printed}\nand not:\n${shown}`).toBe(true);
}

function run(command: string, { cwd, env }: Around): Promise<{ code: number | null; printed: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-ec', `exec 2>&1\n${command}`], {
      cwd,
      env,
      timeout: stepMs,
      killSignal: 'SIGKILL',
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, printed }));
  });
}
