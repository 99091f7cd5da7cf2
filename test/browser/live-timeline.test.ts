import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { ask, freePort } from '../support/control.ts';
import { BINARY, type Gsup, startGsup } from '../support/gsup.ts';
import { collect } from '../support/output.ts';
import { untilAsync } from '../support/until.ts';
import { CHROMIUM, drawn, launch, openPage } from './chromium.ts';
import { rusage, shortRun, writeLog } from './log-of-runs.ts';

const EVIL = `"><img src=x onerror=document.title='owned'>`;

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-live-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `gsup timeline --serve` of the tasks in a state directory. */
async function serve(stateDir: string, ...options: string[]) {
  const env = { PATH: process.env.PATH ?? '', GSUP_STATE_DIR: stateDir, GSUP_LOG_FORMAT: 'text' };
  const child = spawn(BINARY, ['timeline', '--serve', ...options], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = new Promise<number | null>((resolve) => child.on('close', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const [url = '', port = '', token = ''] = await stdout.line(
    /^http:\/\/127\.0\.0\.1:(\d+)\/#([0-9a-f]{64})$/,
  );
  return { url, port: Number(port), token, child, code, stderr };
}

async function endServing({ child, code }: { child: ChildProcess; code: Promise<number | null> }) {
  child.kill('SIGINT');
  expect(await code).toBe(0);
}

async function upWith(config: unknown): Promise<Gsup> {
  const folder = temporary();
  const gsup = await startGsup({ ring: 'subreaper', mode: 'supervisor', folder }, [], [], { up: config });
  onTestFinished(async () => void (await gsup.clear()));
  return gsup;
}

const sleeper = { command: ['sleep', '600'], stop: { grace: '5s' } };

describe('gsup timeline --serve', () => {
  it('gives what happened only to who has the token, to nobody by another name, and takes nothing', async () => {
    const stateDir = temporary();
    const log = writeLog(stateDir, 'secret-task', 5n, 1_770_000_000_000);
    log.add(...shortRun('web#1', 10));
    const served = await serve(stateDir);
    const { port, token } = served;
    const shell = await ask({ port }, 'GET', '/');
    expect(shell.status).toBe(200);
    expect(shell.text).not.toContain('secret-task');
    expect(shell.headers).toMatchObject({ 'cache-control': 'no-store', 'x-frame-options': 'DENY' });
    expect(shell.headers['access-control-allow-origin']).toBeUndefined();
    for (const authorization of [
      '',
      'Bearer ',
      `Bearer ${token}0`,
      `Bearer ${'0'.repeat(64)}`,
      `Basic ${token}`,
    ])
      expect((await ask({ port, headers: { authorization } }, 'GET', '/events')).status).toBe(401);
    const authorization = `Bearer ${token}`;
    expect(
      (await ask({ port, headers: { authorization, host: `evil.example:${port}` } }, 'GET', '/')).status,
    ).toBe(403);
    expect((await ask({ port, headers: { authorization } }, 'POST', '/events')).status).toBe(405);
    expect((await ask({ port, headers: { authorization } }, 'GET', `/events?token=${token}`)).status).toBe(
      404,
    );
    // On this address alone.
    const listening = readFileSync('/proc/net/tcp', 'latin1')
      .split('\n')
      .filter((line) =>
        line.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`),
      );
    expect(listening.map((line) => line.trim().split(/\s+/)[1]?.split(':')[0])).toEqual(['0100007F']);
    await endServing(served);
  });

  it('refuses what does not go together, and an address that it cannot have', async () => {
    const stateDir = temporary();
    writeLog(stateDir, 'shop', 5n, 1_770_000_000_000);
    const gsup = { folder: join(stateDir, 'shop') };
    const port = await freePort();
    const busy = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => void busy.close());
    const wrong = [
      [64, ['--serve', '-o', 'x.html']],
      [64, ['--address', '127.0.0.1:9']],
      [64, ['--serve', '--address', '9']],
      [64, ['--serve', '--past', '9']],
      [69, ['--serve', '--past', '1']],
      [69, ['--serve', '--address', `127.0.0.1:${port}`]],
    ] as const;
    for (const [code, words] of wrong) {
      const said = await gsupCommand(gsup, 'timeline', ...words);
      expect([said.code, said.stdout], words.join(' ')).toEqual([code, '']);
      expect(said.stderr).toMatch(/^gsup: cannot /);
    }
  });
});

describe.skipIf(CHROMIUM === undefined)('the served page (needs Chromium, as Debian packages it)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  async function show(url: string) {
    const opened = await openPage(browser, (asked) => asked.startsWith(new URL('/', url).href));
    onTestFinished(() => opened.page.close());
    await opened.page.goto(url);
    return opened;
  }
  const sourceOf = (page: Page) => page.locator('#source').textContent();
  const lane = (page: Page, run: string) => page.locator(`.lane[data-run=${JSON.stringify(run)}]`);
  const shows = (page: Page, run: string, kind: string) =>
    untilAsync(
      `${run} as ${kind}`,
      async () => (await lane(page, run).locator(`.bar.${kind}`).count()) === 1,
    );

  it('moves when runs start and stop, over the SIGKILL of a supervisor, and stays when the task has ended', {
    timeout: 180_000,
  }, async () => {
    const gsup = await upWith({ processes: { a: sleeper, b: sleeper } });
    await gsup.record('run-started', ({ run }) => run === 'b#1');
    const served = await serve(dirname(gsup.folder));
    const { page, complaints } = await show(served.url);
    await shows(page, 'a#1', 'running');
    expect(await sourceOf(page)).toBe('live');
    // The token is nowhere to be seen, and the page can be loaded again.
    expect(page.url()).toBe(`http://127.0.0.1:${served.port}/`);
    await page.reload();
    await shows(page, 'a#1', 'running');

    await gsupCommand(gsup, 'stop', 'a', '--wait');
    await shows(page, 'a#1', 'killed');
    const supervisor = await gsup.supervisor();
    process.kill(supervisor, 'SIGKILL');
    await gsup.record('supervisor-started', ({ pid }) => pid !== supervisor);
    await gsupCommand(gsup, 'start', 'a', '--wait');
    await shows(page, 'a#2', 'running');
    await shows(page, 'b#1', 'running');
    expect(await page.locator('.supervisor').count()).toBe(1);
    expect(await sourceOf(page)).toBe('live');

    const length = async () =>
      /lasted (.*), \d+ runs/.exec((await page.locator('#headline').textContent()) ?? '')?.[1];
    const before = await length();
    await untilAsync('its clock to go on', async () => (await length()) !== before);

    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    await untilAsync('the end', async () => (await sourceOf(page)) === 'the task has ended');
    await shows(page, 'a#2', 'killed');
    expect(await page.locator('#headline').textContent()).toMatch(/^t: success|^t: killed, exit code 0/);
    await page.locator('#scroll').focus();
    await page.keyboard.press('ArrowDown');
    await drawn(page);
    expect(await page.locator('#told').textContent()).toMatch(/^[ab]#1, pid \d+\n/);
    await served.stderr.line(/the task has ended; its page stays until \^C/);
    await endServing(served);
    expect(complaints).toEqual([]);
  });

  it('S53 shows the levels of the config in force, also when a reload changes them, and a search keeps what they are', {
    timeout: 180_000,
  }, async () => {
    const needs = (...on: string[]) => ({ ...sleeper, depends_on: on });
    const gsup = await upWith({ processes: { web: needs('db'), db: sleeper } });
    await gsup.record('run-started', ({ run }) => run === 'web#1');
    const served = await serve(dirname(gsup.folder));
    const { page, complaints } = await show(served.url);
    const rows = () =>
      page
        .locator('.lane, .level')
        .evaluateAll((all) => all.map((each) => each.getAttribute('data-run') ?? each.textContent));
    const reads = (wanted: string[]) =>
      untilAsync(wanted.join(', '), async () => JSON.stringify(await rows()) === JSON.stringify(wanted));
    await reads(['stop level 2 of 2: stops last', 'db#1', 'stop level 1 of 2: stops first', 'web#1']);

    const processes = { web: needs('api'), api: needs('db'), db: sleeper };
    writeFileSync(
      join(dirname(dirname(gsup.folder)), 'gsup.json'),
      JSON.stringify({ logging: { driver: 'inherit' }, processes }),
    );
    gsup.signal('SIGHUP');
    await gsup.record('run-started', ({ run }) => run === 'api#1');
    const [last, middle, first] = [
      ['stop level 3 of 3: stops last', 'db#1'],
      ['stop level 2 of 3', 'api#1'],
      ['stop level 1 of 3: stops first', 'web#1'],
    ] as const;
    await reads([...last, ...middle, ...first]);
    await page.locator('#scroll').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await drawn(page);
    expect(await page.locator('#told').textContent()).toMatch(/^api#1, pid \d+\nstop level 2 of 3\n/);
    await page.fill('#search', 'web');
    await drawn(page);
    expect(await page.locator('#found').textContent()).toBe('1 of 3 runs');
    expect(await rows()).toEqual([...first]);

    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    await endServing(served);
    expect(complaints).toEqual([]);
  });

  it('shows a plain run, which has a supervisor only for those who ask; and says when nobody serves it any more', {
    timeout: 120_000,
  }, async () => {
    const folder = temporary();
    const gsup = await startGsup(
      { ring: 'subreaper', mode: 'order', folder },
      ['-g', '5s'],
      ['sleep', '600'],
      { mayVisit: true },
    );
    onTestFinished(async () => void (await gsup.clear()));
    await gsup.record('run-started');
    const served = await serve(dirname(gsup.folder));
    const { page } = await show(served.url);
    await shows(page, 't#1', 'running');
    expect(await page.locator('.level').count()).toBe(0);
    gsup.signal('SIGTERM');
    await gsup.ended();
    await untilAsync('the end', async () => (await sourceOf(page)) === 'the task has ended');
    expect(await lane(page, 't#1').locator('.end').textContent()).toBe('SIGTERM');
    await endServing(served);

    const stateDir = temporary();
    const log = writeLog(stateDir, 'shop', process.hrtime.bigint(), Date.now());
    log.live(true);
    log.add([1, { type: 'run-started', run: 'web#1', pid: 7, start_ticks: 1 }]);
    const other = await serve(stateDir);
    const second = await show(other.url);
    await shows(second.page, 'web#1', 'running');
    await endServing(other);
    await untilAsync('a word', async () =>
      /does not answer; what is shown/.test((await sourceOf(second.page)) ?? ''),
    );
    expect(await lane(second.page, 'web#1').count()).toBe(1);
  });

  it('says so where the token is missing', async () => {
    const stateDir = temporary();
    writeLog(stateDir, 'shop', 5n, 1_770_000_000_000);
    const served = await serve(stateDir);
    const opened = await openPage(browser, () => true);
    onTestFinished(() => opened.page.close());
    await opened.page.goto(served.url.replace(/#.*/, ''));
    await untilAsync('a word', async () => /needs the address/.test((await sourceOf(opened.page)) ?? ''));
    expect(await opened.page.locator('.lane').count()).toBe(0);
    await endServing(served);
  });

  it('S64 1,000 runs that come while it is looked at: names are names, only what is seen is drawn, and who looks at what is past is left there', {
    timeout: 180_000,
  }, async () => {
    const stateDir = temporary();
    const log = writeLog(stateDir, 'shop', process.hrtime.bigint(), Date.now());
    log.live(true);
    log.add([1, { type: 'run-started', run: `${EVIL}#1`, pid: 7, start_ticks: 1 }]);
    const served = await serve(stateDir);
    const { page, complaints } = await show(served.url);
    await shows(page, `${EVIL}#1`, 'running');
    for (let n = 0; n < 1000; n += 100)
      log.add(
        ...Array.from({ length: 100 }, (_, i) =>
          shortRun(`web#${n + i + 1}`, (n + i) * 2 + 10, i % 10 === 9 ? 1 : 0),
        ).flat(),
      );
    const told = () => page.locator('#headline').textContent();
    await untilAsync('1,001 runs', async () => /, 1001 runs$/.test((await told()) ?? ''));
    await drawn(page);
    expect(await page.locator('.lane').count()).toBeLessThan(60);
    expect(await page.title()).toBe('gsup: shop');
    expect(await page.locator('img').count()).toBe(0);

    await page.fill('#search', 'failed');
    await drawn(page);
    expect(await page.locator('#found').textContent()).toBe('100 of 1001 runs');
    await page.fill('#search', '');
    await page.locator('#scroll').focus();
    for (let i = 0; i < 12; i++) await page.keyboard.press('+');
    for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowLeft');
    await drawn(page);
    const times = () => page.locator('.time').allTextContents();
    const past = await times();
    log.add(
      [3000, { type: 'run-started', run: 'late#1', pid: 7, start_ticks: 1 }],
      [3001, { type: 'run-ended', run: `${EVIL}#1`, code: null, signal: 'SIGKILL', forced: true, rusage }],
    );
    await untilAsync('one more', async () => /, 1002 runs$/.test((await told()) ?? ''));
    await drawn(page);
    expect(await times()).toEqual(past);
    await page.keyboard.press('0');
    await shows(page, `${EVIL}#1`, 'forced');

    log.live(false);
    await untilAsync('the end', async () => (await sourceOf(page)) === 'the task has ended');
    await endServing(served);
    expect(complaints).toEqual([]);
  });
});
