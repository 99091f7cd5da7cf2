// docs/reference/metrics.md has every metric as it is served: its name, its kind and its labels.
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { CheckpointRecord } from '../../src/checkpoint/record.ts';
import type { Entry } from '../../src/control/feed.ts';
import { createMetrics } from '../../src/control/metrics.ts';
import type { Status } from '../../src/report/status.ts';
import { blocks, page, tableRows } from './pages.ts';

const path = 'docs/reference/metrics.md';

/** One of each record that counts, and a process that has all that can be shown. */
const RECORDS = [
  { type: 'supervisor-started' },
  { type: 'run-started', run: 'web#1' },
  { type: 'run-started', run: 'web#2' },
  { type: 'run-started', run: 'web#2/pre-stop.1' },
  { type: 'rung', run: 'web#2', mono_ns: 1_000_000_000n },
  {
    type: 'run-ended',
    run: 'web#2',
    mono_ns: 3_500_000_000n,
    forced: true,
    rusage: { user_us: 1_500_000, sys_us: 250_000, max_rss_kb: 1 },
  },
  { type: 'outcome', process: 'web', outcome: 'killed', cause: 'stopped' },
].map((record, at) => ({ log: 'init', record: { seq: at + 1, ...record } as unknown as CheckpointRecord }));

const STATUS = {
  task: { name: 'shop', state: 'active' },
  processes: [
    {
      name: 'web',
      pid: 1,
      ready: true,
      want: 'up',
      health: 'healthy',
      failures: 2,
      cpu_pct: 150,
      rss_bytes: 4096,
      stop: { left_ms: 2500 },
    },
  ],
} as unknown as Status;

/** As init has counted it, of a process with a name and of those that have no place of their own. */
const COUNTS = {
  orphans: 7,
  bytes: [
    { process: 'web', stdout: 1000, stderr: 24 },
    { process: '', stdout: 5, stderr: 0 },
  ],
};

async function served(): Promise<string> {
  const after = (position: { init: number }) =>
    RECORDS.filter(({ record }) => record.seq > position.init) as unknown as Entry[];
  const metrics = await createMetrics({ after }, () => ({ checkpoint: 10, init: 20 }));
  await metrics.render(STATUS, COUNTS);
  // What was counted once is not counted again.
  return metrics.render(STATUS, COUNTS);
}

test('every metric is counted and shown as its records and its status have it', async () => {
  const lines = (await served()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const others = lines.filter((line) => !line.startsWith('gsup_stop_duration_seconds_bucket'));
  expect(others.sort()).toEqual(
    [
      'gsup_ended_runs_cpu_seconds_total{process="web",mode="system"} 0.25',
      'gsup_ended_runs_cpu_seconds_total{process="web",mode="user"} 1.5',
      'gsup_log_bytes_total{process="",stream="stderr"} 0',
      'gsup_log_bytes_total{process="",stream="stdout"} 5',
      'gsup_log_bytes_total{process="web",stream="stderr"} 24',
      'gsup_log_bytes_total{process="web",stream="stdout"} 1000',
      'gsup_log_size_bytes{log="checkpoint"} 10',
      'gsup_log_size_bytes{log="init"} 20',
      'gsup_orphans_reaped_total 7',
      'gsup_process_cpu_ratio{process="web"} 1.5',
      'gsup_process_failures{process="web"} 2',
      'gsup_process_healthy{process="web"} 1',
      'gsup_process_ready{process="web"} 1',
      'gsup_process_resident_memory_bytes{process="web"} 4096',
      'gsup_process_stop_left_seconds{process="web"} 2.5',
      'gsup_process_up{process="web"} 1',
      'gsup_process_wanted{process="web"} 1',
      'gsup_runs_ended_total{process="web",outcome="killed",cause="stopped"} 1',
      'gsup_runs_forced_total{process="web"} 1',
      'gsup_runs_restarted_total{process="web"} 1',
      'gsup_runs_started_total{process="web"} 2',
      'gsup_stop_duration_seconds_count{process="web"} 1',
      'gsup_stop_duration_seconds_sum{process="web"} 2.5',
      'gsup_supervisor_starts_total 1',
      'gsup_task_info{task="shop",state="active"} 1',
    ].sort(),
  );
});

test('restarts and forced kills of a process are there from its first start, so that the first one is an increase', async () => {
  const [, first] = RECORDS;
  const after = (position: { init: number }) => (position.init === 0 ? [first] : []) as unknown as Entry[];
  const metrics = await createMetrics({ after }, () => ({ checkpoint: 0, init: 0 }));
  const text = await metrics.render(STATUS, null);
  expect(text).toContain('gsup_runs_restarted_total{process="web"} 0');
  expect(text).toContain('gsup_runs_forced_total{process="web"} 0');
});

test('every metric stands in the page with its kind and its labels, and no other', async () => {
  const text = await served();
  const kinds = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', kind = '']) => {
    const sample = new RegExp(`^${name}(?:_bucket)?(?:\\{(.*)\\})? `, 'm').exec(text)?.[1] ?? '';
    const labels = [...sample.matchAll(/(\w+)="/g)]
      .map(([, label]) => label)
      .filter((label) => label !== 'le');
    return [name, kind, labels.join(', ')];
  });
  const written = tableRows(page(path)).map(([name, kind, labels]) => [
    name?.replaceAll('`', ''),
    kind,
    labels,
  ]);
  expect(written.sort()).toEqual(kinds.sort());
});

test('what init has counted is absent until it is known, and stays as it was while it is not', async () => {
  const metrics = await createMetrics({ after: () => [] }, () => ({ checkpoint: 0, init: 0 }));
  expect(await metrics.render(STATUS, null)).not.toMatch(/gsup_orphans|gsup_log_bytes/);
  const known = await metrics.render(STATUS, COUNTS);
  expect(known).toContain('gsup_orphans_reaped_total 7');
  expect(await metrics.render(STATUS, null)).toBe(known);
  const more = { orphans: 8, bytes: [{ process: 'web', stdout: 1001, stderr: 24 }] };
  const later = await metrics.render(STATUS, more);
  expect(later).toContain('gsup_orphans_reaped_total 8');
  expect(later).toContain('gsup_log_bytes_total{process="web",stream="stdout"} 1001');
});

test('S64 names that are markup stay names in the text', async () => {
  const metrics = await createMetrics({ after: () => [] }, () => ({ checkpoint: 0, init: 0 }));
  const [process] = STATUS.processes;
  const hostile = { ...STATUS, processes: [{ ...process, name: 'a"} 1\nevil 2\\' }] } as unknown as Status;
  const hostileName = hostile.processes[0]?.name ?? '';
  const text = await metrics.render(hostile, {
    orphans: 0,
    bytes: [{ process: hostileName, stdout: 3, stderr: 0 }],
  });
  expect(text).not.toMatch(/^evil/m);
  expect(text).toContain('gsup_process_up{process="a\\"} 1\\nevil 2\\\\"} 1');
  expect(text).toContain('gsup_log_bytes_total{process="a\\"} 1\\nevil 2\\\\",stream="stdout"} 3');
});

test('the rules of its alerts ask for metrics that there are', async () => {
  const text = await served();
  const [rules] = blocks(page(path), 'yaml').map((block) => parse(block));
  const asked = rules.groups[0].rules.flatMap(({ expr }: { expr: string }) => expr.match(/gsup_\w+/g));
  expect(asked.length).toBeGreaterThan(2);
  for (const name of asked) expect(text).toContain(`# TYPE ${name} `);
});
