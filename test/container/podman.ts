// Podman as the tests use it: its settings, the images, and whether it can be had here at all.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import type { Mode } from '../support/gsup.ts';
import { isAlive } from '../support/processes.ts';

export const root = join(import.meta.dirname, '../..');
/** Whoever watches a container leaves a file named oom where it was started, when the kernel has killed something in it. */
const scratch = join(root, 'build');
mkdirSync(scratch, { recursive: true });
export const podmanEnv = {
  ...process.env,
  CONTAINERS_CONF: join(import.meta.dirname, 'containers.conf'),
  STORAGE_DRIVER: 'overlay',
};
export const baseImage = 'localhost/gsup-test-base';
export const programsImage = 'localhost/gsup-test-programs';

const tooLongMs = 50_000;
const imagesMs = 600_000;
const prefix = 'gsup-test-';
let count = 0;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
function run(command: string, args: readonly string[], timeout: number): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: podmanEnv, cwd: scratch, timeout, killSignal: 'SIGKILL' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export function tryPodman(...args: string[]): Promise<Ran> {
  return run('podman', args, tooLongMs);
}

/** What podman prints; throws what it complains of when it fails. */
export async function podman(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryPodman(...args);
  if (code !== 0) throw new Error(`podman ${args.join(' ')}: ${code}: ${stderr.trim()}`);
  return stdout.trim();
}

/** A name by which what is left of a test that died is known as ours: it has the pid of the test process. */
export function freshName(): string {
  count += 1;
  return `${prefix}${process.pid}-${count}`;
}

async function removeLeftovers(): Promise<void> {
  const names = await podman('ps', '-a', '--filter', `name=^${prefix}`, '--format', '{{.Names}}');
  const dead = names.split('\n').filter((name) => name !== '' && !isAlive(Number(name.split('-')[2])));
  if (dead.length > 0) await podman('rm', '-f', '-t', '0', ...dead);
}

/**
 * Makes the images, once per machine. Why the ring cannot run here, or undefined; printed, so that no skip is silent.
 * With GSUP_REQUIRE_CONTAINERS it is an error.
 */
async function whyNot(images: readonly string[]): Promise<string | undefined> {
  const made = await run('sh', [join(root, 'scripts/container-base.sh'), ...images], imagesMs);
  if (made.code === 0) {
    await removeLeftovers();
    return undefined;
  }
  const reason = made.stderr.trim();
  if (made.code !== 77 || process.env.GSUP_REQUIRE_CONTAINERS) throw new Error(reason);
  console.warn(reason);
  return reason.split('\n').at(-1);
}

export interface ContainerRing {
  /** Why nothing can run here. */
  readonly reason: string | undefined;
  /** A scenario, carried out by init's order alone and with the supervisor present: `S18 stops [container, order]`. */
  scenario(title: string, body: (mode: Mode) => Promise<void>): void;
}

/** Awaited at the top of a test file. */
export async function containerRing(...images: '--programs'[]): Promise<ContainerRing> {
  const reason = await whyNot(images);
  return {
    reason,
    scenario(title, body) {
      for (const mode of ['order', 'supervisor'] as const)
        test.skipIf(reason)(`${title} [container, ${mode}]`, () => body(mode));
    },
  };
}
