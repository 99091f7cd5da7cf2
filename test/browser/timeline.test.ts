import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import type { RecordBody } from '../../src/checkpoint/record.ts';
import { CHROMIUM, drawn as drawnOn, launch, openPage } from './chromium.ts';

const gsup = fileURLToPath(new URL('../../bin/gsup', import.meta.url));
const EVIL = `"><img src=x onerror=document.title='owned'>`;
const RUNS = 1000;

/** A task of many runs, the last of which is stopped and killed, and has a name that wants to be markup. */
function records(): Buffer {
  const told: [number, RecordBody][] = [
    [
      0,
      { type: 'task', task: 'shop', version: '0.1.0', config_digest: '0', boot_id: 'b', pid_ns: 1, pid: 1 },
    ],
  ];
  const rusage = { user_us: 1000, sys_us: 0, max_rss_kb: 2048 };
  for (let n = 1; n <= RUNS; n++) {
    const run = `web#${n}`;
    told.push([n * 100, { type: 'run-started', run, pid: n + 10, start_ticks: 1 }]);
    told.push([
      n * 100 + 90,
      { type: 'run-ended', run, code: n % 10 === 0 ? 1 : 0, signal: null, forced: false, rusage },
    ]);
  }
  const end = RUNS * 100 + 200;
  const rung: RecordBody = {
    type: 'rung',
    run: `${EVIL}#1`,
    index: 0,
    action: 'signal',
    signal: 'SIGTERM',
    target: 'group',
    pids: [7],
    wait_ms: 1000,
    deadline_ns: BigInt(end + 2000) * 1_000_000n,
    cut_ms: 0,
  };
  told.push([end, { type: 'run-started', run: `${EVIL}#1`, pid: 7, start_ticks: 1 }]);
  told.push([end + 1000, { type: 'stop-requested', cause: 'signal', signal: 'SIGTERM', by: null }]);
  told.push([end + 1000, rung]);
  told.push([end + 2000, { type: 'kill', run: `${EVIL}#1`, pids: [7] }]);
  told.push([
    end + 2010,
    { type: 'run-ended', run: `${EVIL}#1`, code: null, signal: 'SIGKILL', forced: true, rusage },
  ]);
  told.push([end + 2020, { type: 'task-state', state: 'killed', exit_code: 137 }]);
  const lines = told.map(([ms, body], i) =>
    encodeBody(body, i + 1, {
      at: new Date(1_770_000_000_000 + ms).toISOString(),
      mono_ns: BigInt(ms) * 1_000_000n,
    }),
  );
  return Buffer.concat(lines.map((line) => Buffer.from(line)));
}

describe.skipIf(CHROMIUM === undefined)('timeline page (needs Chromium, as Debian packages it)', () => {
  let dir = '';
  let browser: Browser;
  let page: Page;
  let complaints: string[] = [];
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'gsup-timeline-'));
    mkdirSync(join(dir, 'shop'));
    writeFileSync(join(dir, 'shop', 'init.log'), records());
    const drawn = spawnSync(
      gsup,
      ['timeline', '--state-dir', dir, '--name', 'shop', '-o', join(dir, 'shop.html')],
      { encoding: 'utf8' },
    );
    expect(drawn.stderr).toBe('');
    browser = await launch();
    ({ page, complaints } = await openPage(browser, (url) => url.startsWith('file:')));
    await page.goto(`file://${join(dir, 'shop.html')}`);
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const lanes = () => page.locator('.lane').count();
  const first = () => page.locator('.lane').first().getAttribute('data-run');
  const told = () => page.locator('#told').textContent();
  const drawn = () => drawnOn(page);
  const press = async (key: string) => {
    await page.keyboard.press(key);
    await drawn();
  };

  it('shows what it came to, and draws only the lanes that are seen', async () => {
    expect(await page.locator('#headline').textContent()).toMatch(/^shop: killed, exit code 137/);
    expect(await first()).toBe('web#1');
    expect(await lanes()).toBeGreaterThan(5);
    expect(await lanes()).toBeLessThan(60);
  });

  it('S64 takes a name that wants to be markup for a name', async () => {
    await page.fill('#search', 'onerror');
    await drawn();
    expect(await page.locator('#found').textContent()).toBe(`1 of ${RUNS + 1} runs`);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('gsup: shop');
  });

  it('finds runs by name and by how they ended', async () => {
    await page.fill('#search', 'failed web#100');
    await drawn();
    // web#100 and web#1000 end with 1, as each tenth does.
    expect(await page.locator('#found').textContent()).toBe(`2 of ${RUNS + 1} runs`);
    expect(await first()).toBe('web#100');
    await page.fill('#search', '');
    await drawn();
    expect(await first()).toBe('web#1');
  });

  it('is moved and zoomed by keys and buttons, and shows all again', async () => {
    await page.locator('#scroll').focus();
    const bar = () => page.locator('.lane .bar').first().getAttribute('width').then(Number);
    const whole = await bar();
    await page.click('#to-stop');
    await drawn();
    expect(await page.locator('.stop').count()).toBe(1);
    await press('0');
    expect(await bar()).toBe(whole);
    for (let i = 0; i < 4; i++) await press('+');
    expect(await page.locator('.lane .bar').count()).toBeLessThan(await lanes());
    await page.click('#all');
    await drawn();
    expect(await bar()).toBe(whole);
  });

  it('tells of the run that is chosen, by key or by click', async () => {
    await page.locator('#scroll').focus();
    await press('ArrowDown');
    await press('ArrowDown');
    expect(await told()).toMatch(/^web#2, pid 12\n/);
    await page.locator('.lane').nth(4).click();
    expect(await told()).toMatch(/^web#5, pid 15\n/);
    // What is below the pointer would be told of next.
    await page.mouse.move(1, 1);
    await press('Escape');
    expect(await told()).toBe('');
  });

  it('scrolls to the last lane', async () => {
    await page.evaluate(() => {
      const box = document.getElementById('scroll') as { scrollTop: number; scrollHeight: number } | null;
      if (box) box.scrollTop = box.scrollHeight;
    });
    await drawn();
    expect(await page.locator('.lane').last().getAttribute('data-run')).toBe(`${EVIL}#1`);
    expect(await page.locator('.lane').last().locator('.kill').count()).toBe(1);
  });

  it('has its colours for the dark and not for paper, and prints every lane', async () => {
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await back();
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await back()).not.toBe(light);
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await lanes()).toBe(RUNS + 1);
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    await drawn();
    expect(await lanes()).toBeLessThan(60);
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    expect(await back()).toBe(light);
  });

  it('asks for nothing over the network, and complains of nothing', () => {
    expect(complaints).toEqual([]);
  });
});
