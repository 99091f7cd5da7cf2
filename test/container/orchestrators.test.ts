// The Kubernetes and Compose files of the docs, really run, by what is there without a cluster: podman and podman-compose.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { blocks, page } from '../docs/pages.ts';
import { untilAsync } from '../support/until.ts';
import { baseImage, containerRing, freshName, podman, podmanEnv, root, tryPodman } from './podman.ts';

const { reason } = await containerRing();
const image = `localhost/${freshName()}`;
const hasCompose = spawnSync('podman-compose', ['--version'], { env: podmanEnv }).status === 0;
if (reason === undefined && !hasCompose)
  console.warn('the Compose file is not run: there is no podman-compose (Debian: podman-compose)');

const SERVER = `
const server = require('node:http').createServer((request, response) => response.end('hello'));
server.listen(8080, () => console.log('ready'));
process.on('SIGTERM', () => server.close(() => console.log('closed')));
`;
const DOCKERFILE = `
FROM ${baseImage}
COPY dist /opt/package/dist
COPY package.json /opt/package/package.json
RUN ["node", "/opt/package/dist/main.js", "install-init", "/usr/local/bin/gsup"]
COPY server.js /
STOPSIGNAL SIGTERM
ENTRYPOINT ["gsup", "run", "--"]
CMD ["node", "/server.js"]
`;

/** podman-compose asks for a network of the project, which here may not be had: a podman that gives it none. */
const WITHOUT_NETWORK = `#!/bin/bash
kept=()
while [ $# -gt 0 ]; do
  case $1 in --net|--network-alias) shift ;; *) kept+=("$1") ;; esac
  shift
done
[ "\${kept[0]}" = network ] && exit 0
exec podman "\${kept[@]}"
`;

/** The first YAML of a page, with our image in place of the one that it names. */
function fileOf(name: string, folder: string, own: (text: string) => string): string {
  const [text = ''] = blocks(page(`docs/how-to/${name}.md`), 'yaml');
  expect(own(text)).not.toBe(text);
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, own(text));
  return path;
}

const stateOf = (container: string) =>
  podman('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', container);
const says = (container: string, word: string) =>
  untilAsync(`"${word}"`, async () => (await podman('logs', container)).includes(word));

describe.skipIf(reason !== undefined)('files of the docs, run', () => {
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gsup-orchestrators-'));
    for (const name of ['dist', 'package.json'])
      cpSync(join(root, name), join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'server.js'), SERVER);
    writeFileSync(join(folder, 'Dockerfile'), DOCKERFILE);
    writeFileSync(join(folder, 'podman'), WITHOUT_NETWORK, { mode: 0o755 });
    await podman('build', '-q', '--network=none', '--pull=never', '-t', image, folder);
  }, 120_000);
  afterAll(async () => {
    await tryPodman('rmi', '-f', image);
    rmSync(folder, { recursive: true, force: true });
  });

  test('the Deployment of how-to/kubernetes starts, is alive by its own liveness probe, and stops within its own grace period', {
    timeout: 180_000,
  }, async () => {
    const name = freshName();
    const path = fileOf('kubernetes', folder, (text) =>
      text
        .replace('example.com/web:1', image)
        .replace('metadata:\n  name: web', `metadata:\n  name: ${name}`),
    );
    onTestFinished(async () => void (await tryPodman('kube', 'down', path)));
    await podman('kube', 'play', '--network', 'none', path);
    for (const replica of [0, 1]) {
      const container = `${name}-pod-${replica}-web`;
      await says(container, 'ready');
      // What the probe of the file asks, as the file has it.
      const { code, stdout, stderr } = await tryPodman('healthcheck', 'run', container);
      expect(code, `${stdout}${stderr}`).toBe(0);
      expect(await podman('exec', container, 'gsup', 'status')).toContain('node: active, pid 1');
    }
    const seconds = /terminationGracePeriodSeconds: (\d+)/.exec(page('docs/how-to/kubernetes.md'))?.[1] ?? '';
    await podman('pod', 'stop', '-t', seconds, `${name}-pod-0`);
    expect(await stateOf(`${name}-pod-0-web`)).toBe('exited 0');
    expect(await podman('logs', `${name}-pod-0-web`)).toContain('closed');
    expect(await stateOf(`${name}-pod-1-web`)).toMatch(/^running/);
  });

  test.skipIf(!hasCompose)(
    'the service of how-to/compose runs below gsup as PID 1, and stops with 0',
    { timeout: 180_000 },
    async () => {
      const project = freshName();
      const path = fileOf('compose', folder, (text) => text.replace('build: .', `image: ${image}`));
      const compose = (...words: string[]) =>
        spawnSync(
          'podman-compose',
          ['--podman-path', join(folder, 'podman'), '-f', path, '-p', project, ...words],
          {
            env: podmanEnv,
            encoding: 'utf8',
            timeout: 60_000,
          },
        );
      onTestFinished(() => void compose('down'));
      const up = compose('up', '-d');
      expect(up.status, up.stderr).toBe(0);
      const container = `${project}_web_1`;
      await says(container, 'ready');
      expect(await podman('exec', container, 'gsup', 'health')).toBe('node: it runs');
      expect(await podman('exec', container, 'gsup', 'status')).toContain('node: active, pid 1');
      const variables = await podman('inspect', '-f', '{{.Config.Env}}', container);
      expect(variables).toContain('GSUP_GRACE=20s');
      compose('stop');
      expect(await stateOf(container)).toBe('exited 0');
      expect(await podman('logs', container)).toContain('closed');
    },
  );
});
