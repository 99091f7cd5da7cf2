// examples/up/postgres.yaml, a task of several processes around a real database, in a real container.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPrograms } from '../support/processes.ts';
import { types } from '../support/story.ts';
import { until } from '../support/until.ts';
import { type Container, gsup, mountGsup, startContainer } from './container.ts';
import { containerRing, programsImage, root } from './podman.ts';

const { reason } = await containerRing('--programs');

/** Each line without the name that gsup puts before it. */
function said(container: Container): string[] {
  return container.lines().map((line) => line.text.replace(/^\S+ +\| /, ''));
}

const orders = (container: Container) =>
  said(container)
    .filter((line) => /^\d+$/.test(line))
    .map(Number);

for (const crash of [false, true])
  test.skipIf(reason)(
    `S21 the database of examples/up/postgres.yaml stops last, and no order is lost${crash ? ', also with the supervisor killed' : ''}`,
    { timeout: 180_000 },
    async () => {
      const container = await startContainer([gsup, 'up', '-f', 'examples/up/postgres.yaml'], {
        image: programsImage,
        podman: [...mountGsup, '-v', `${join(root, 'examples')}:/app/examples:ro`, '-w', '/app'],
      });
      await until('orders', () => orders(container).length > 20, 60_000, container.text);
      await container.line(/listening on 8080/);
      if (crash) {
        // The first one below init: the other one is the server.
        const [supervisor] = findPrograms(container.pid(), 'node').sort((a, b) => a - b);
        process.kill(supervisor as number, 'SIGKILL');
      }
      await container.stop(60);
      expect(await container.ended(), container.text()).toBe(0);
      const records = await container.records('/run/gsup/shop');
      expect(types(records)).not.toContain('kill');
      const end = (text: string) => said(container).findIndex((line) => line.includes(text));
      expect(end('drained')).toBeGreaterThan(0);
      expect(end('worker: order finished')).toBeGreaterThan(0);
      expect(end('database system is shut down')).toBeGreaterThan(end('worker: order finished'));
      expect(end('database system is shut down')).toBeGreaterThan(end('drained'));
      expect(end('backup: done')).toBeGreaterThan(end('database system is shut down'));
      const ids = orders(container);

      const old = container.lines().length;
      await container.restart();
      await until('more orders', () => orders(container).length > ids.length, 60_000, container.text);
      const since = container.lines().slice(old);
      expect(since.filter((line) => line.text.includes('not properly shut down'))).toEqual([]);
      const sql = `select count(*) from orders where id <= ${Math.max(...ids)}`;
      const kept = await container.exec('su', 'postgres', '-c', `psql -Atqc '${sql}'`);
      expect(Number(kept), 'orders that were said to be committed').toBe(ids.length);
      await container.stop(60);
      expect(await container.ended(), container.text()).toBe(0);
    },
  );
