/** The Dockerfile that `gsup init` writes: after Dockerfile.example, with what a folder tells of its language. Pure. */
import type { Package } from './package-json.ts';

/** The oldest that gsup runs with is 20; this one is looked after for longer. */
const NODE = 22;

/** `files`: what lies in the folder; `pkg`: of a project of Node.js. */
export function dockerfileText(files: ReadonlySet<string>, pkg: Package | null): string {
  const node = `node:${Math.max(pkg?.node ?? NODE, NODE)}-bookworm-slim`;
  const python = pkg === null && files.has('requirements.txt');
  const base = pkg !== null ? node : python ? 'python:3-slim-bookworm' : 'debian:bookworm-slim';
  return [
    '# Made by gsup init. Stage 1: gsup. Stage 2: what is shipped.',
    `ARG BASE=${base}`,
    '',
    `FROM ${node} AS gsup`,
    'RUN npm install -g --prefix /opt/gsup gsup',
    '',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Docker puts it in
    'FROM ${BASE}',
    ...(pkg === null
      ? ['# gsup up needs Node.js.', 'COPY --from=gsup /usr/local/bin/node /usr/local/bin/node']
      : []),
    'COPY --from=gsup /opt/gsup /opt/gsup',
    'RUN ["node", "/opt/gsup/lib/node_modules/gsup/dist/main.js", "install-init", "/usr/local/bin/gsup"]',
    ...(pkg === null && !python ? ['# What the processes need is to be installed here.'] : []),
    '',
    'WORKDIR /app',
    ...dependencies(files, pkg, python),
    ...(pkg !== null && !pkg.hasBuild ? ['COPY . .'] : []),
    ...(pkg === null ? ['COPY . .'] : []),
    '',
    '# Not root. The state of gsup then lies in /tmp/gsup-<uid>, or in GSUP_STATE_DIR.',
    'USER 10001:10001',
    '# docker stop gives 10 s: a longer grace in gsup.yaml needs docker stop -t.',
    'STOPSIGNAL SIGTERM',
    'ENTRYPOINT ["gsup", "up", "-f", "/app/gsup.yaml"]',
    '',
  ].join('\n');
}

/** Before the rest, so that they are installed again only when they have changed. */
function dependencies(files: ReadonlySet<string>, pkg: Package | null, python: boolean): string[] {
  if (python) return ['COPY requirements.txt ./', 'RUN pip install --no-cache-dir -r requirements.txt'];
  if (pkg === null) return [];
  const [lock, install, prune] = managerOf(files);
  const copied = lock === undefined ? 'COPY package.json ./' : `COPY package.json ${lock} ./`;
  if (!pkg.hasBuild) return [copied, `RUN ${install}${prune === '' ? '' : ` ${prune}`}`];
  const afterwards = lock === undefined || lock === 'package-lock.json' ? ' && npm prune --omit=dev' : '';
  const run = lock === 'yarn.lock' ? 'yarn' : lock === 'pnpm-lock.yaml' ? 'pnpm' : 'npm';
  return [copied, `RUN ${install}`, 'COPY . .', `RUN ${run} run build${afterwards}`];
}

/** Lock file, command, and what leaves development dependencies out. */
function managerOf(
  files: ReadonlySet<string>,
): readonly [lock: string | undefined, install: string, prune: string] {
  if (files.has('package-lock.json')) return ['package-lock.json', 'npm ci', '--omit=dev'];
  if (files.has('pnpm-lock.yaml'))
    return ['pnpm-lock.yaml', 'corepack enable && pnpm install --frozen-lockfile', '--prod'];
  if (files.has('yarn.lock')) return ['yarn.lock', 'corepack enable && yarn install --immutable', ''];
  return [undefined, 'npm install', '--omit=dev'];
}

/** What would undo or swell the image. */
export const DOCKERIGNORE = 'node_modules\n.git\n';

/** What a Dockerfile that is there needs, besides Node.js. */
export const DOCKERFILE_LINES: readonly string[] = [
  'RUN npm install -g gsup && gsup install-init',
  'ENTRYPOINT ["gsup", "up", "-f", "gsup.yaml"]',
];
