import { gzipSync } from 'node:zlib';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import * as z from 'zod';
import { builtConsole } from '../../local/console/build.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import { openChromium } from '../support/chromium.ts';
import { ConsoleScene, root } from '../support/console-scene.ts';
import { giveCommand } from '../support/person-at-console.ts';

jest.setTimeout(360_000);

const pictures = join(root, 'artefacts', 'console');
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** For whatever goes through functions and queues. */
const patienceMs = 120_000;

let scene: ConsoleScene;
let browser: Browser;
let tab: Page;
/** What a browser has complained about; nothing, ever. */
const complaints: string[] = [];

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  // A copy takes three seconds, and four go at once: there is time to look on, and to pause.
  const behaviour = { copyBytesPerSecond: 10_000, slots: 4, workers: 4 };
  const spec = { hosts: 4, endpoints: 20, onHosts: 2, bytes: 30_000, behaviour };
  [scene, browser] = await Promise.all([ConsoleScene.set(spec, 1_000_000), openChromium()]);
  tab = await browser.newPage({ viewport: { width: 1_440, height: 900 } });
  tab.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  tab.on('pageerror', (error) => complaints.push(error.message));
});

afterAll(async () => {
  await browser.close();
  await scene.strike();
});

const violations = z.array(
  z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

/** What axe finds wrong with what is on the screen. */
async function flawsOf(shown: Page): Promise<string[]> {
  await shown.evaluate(axeSource);
  const found: unknown = await shown.evaluate(
    'axe.run(document, { resultTypes: ["violations"] }).then((it) => it.violations)',
  );
  return violations
    .parse(found)
    .map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
    );
}

/** Wider than the screen: something sticks out. */
const sticksOut = async (): Promise<boolean> =>
  tab.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

const telephone = { width: 360, height: 760, scheme: 'light' } as const;
const desk = { width: 1_440, height: 900, scheme: 'dark' } as const;
const wall = { width: 2_560, height: 1_300, scheme: 'light' } as const;

/** Keeps pictures of a view, and looks for what axe finds in it: light and dark, narrow and wide. */
async function portray(name: string, ...more: readonly (typeof wall)[]): Promise<void> {
  for (const { width, height, scheme } of [...more, telephone, desk]) {
    await tab.setViewportSize({ width, height });
    await tab.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await tab.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    await tab.screenshot({ path: join(pictures, `${name}-${String(width)}-${scheme}.png`), fullPage: true });
    expect({ name, width, sticksOut: await sticksOut() }).toEqual({ name, width, sticksOut: false });
    if (width < wall.width)
      expect({ name, scheme, flaws: await flawsOf(tab) }).toEqual({ name, scheme, flaws: [] });
  }
}

const heading = (name: string | RegExp): Locator => tab.getByRole('heading', { level: 1, name });
const soon = { timeout: patienceMs };

let batch: BatchId;

describe('the console', () => {
  test('is loaded with less than 150 KB', async () => {
    const folder = await builtConsole(root);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const bytes = files.reduce(
      (sum, { parentPath, name }) => sum + gzipSync(readFileSync(join(parentPath, name))).length,
      0,
    );
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(150_000);
  });

  test('gives its settings, and the key in them, to nobody who asks under another name', async () => {
    const ask = async (host: string): Promise<number> =>
      (await fetch(`${scene.page.url}config.json`, { headers: { host } })).status;
    expect(await ask(new URL(scene.page.url).host)).toBe(200);
    const other = await tab
      .context()
      .request.get(`${scene.page.url}config.json`, { headers: { host: 'evil.example:80' } });
    expect(other.status()).toBe(421);
  });

  test('shows the fleet: each host with what it holds', async () => {
    await tab.goto(scene.page.url);
    const row = tab.getByRole('row', { name: /^sim-1 z1 active 10/ });
    await row.waitFor(soon);
    await tab.getByRole('img', { name: /^4 hosts with 20 serving/ }).waitFor();
    await tab.getByText(/^Live · /).waitFor();
    await portray('fleet');
  });

  test('shows endpoints on their way while a host is drained', async () => {
    batch = await scene.fleet.drain('sim-1', 'a disk reports errors', { policy: { retention: 0 } });
    await tab.getByRole('link', { name: 'a disk reports errors' }).waitFor(soon);
    await tab.getByRole('img', { name: /being copied|cutting over/ }).waitFor(soon);
    await tab.emulateMedia({ reducedMotion: 'no-preference' });
    const sheet = async (): Promise<unknown> =>
      tab.evaluate('document.querySelector("canvas.above").toDataURL()');
    const before = await sheet();
    await tab.waitForTimeout(300);
    expect(await sheet()).not.toBe(before);
  });

  test('pauses a batch and resumes it: what it will do first, then what is in the way', async () => {
    await tab.goto(`${scene.page.url}#/batches/${batch}`);
    await heading('a disk reports errors').waitFor();
    await giveCommand(tab, 'Pause', 'the payroll runs', patienceMs);
    expect(await flawsOf(tab)).toEqual([]);
    await tab.screenshot({ path: join(pictures, 'command.png') });
    await tab.keyboard.press('Escape');
    await tab.getByText(/running, paused/).waitFor(soon);
    await tab.getByText(/wait for the end of the pause of batch/).waitFor(soon);
    expect(await scene.fleet.services.store.load('batch', { id: batch })).toMatchObject({
      paused: { reason: 'the payroll runs' },
    });
    await portray('batch-paused');
    await tab.goto(scene.page.url);
    await tab.getByRole('img', { name: /being copied|cutting over/ }).waitFor(soon);
    await portray('fleet-drain', wall);
    await tab.goto(`${scene.page.url}#/batches/${batch}`);
    await giveCommand(tab, 'Resume', 'the payroll is done', patienceMs);
    await tab.keyboard.press('Escape');
    await tab.getByText(/completed: 10 of 10 endpoints moved/).waitFor(soon);
    await tab.getByRole('table').filter({ hasText: 'Steps, to' }).getByRole('link').first().waitFor(soon);
    await tab.getByText(/in the middle/).waitFor(soon);
    await portray('batch-over', wall);
  });

  test('lists batches', async () => {
    await tab.getByRole('link', { name: 'Batches' }).click();
    await heading('Batches').waitFor();
    await tab.getByRole('link', { name: 'a disk reports errors' }).waitFor();
    await portray('batches');
  });

  test('shows a move: twelve steps, what each took, and its history', async () => {
    await tab.getByRole('link', { name: 'a disk reports errors' }).click();
    await tab
      .getByRole('table')
      .filter({ hasText: 'What it does' })
      .getByRole('link', { name: 'tenant-00001' })
      .click(soon);
    await heading(/^tenant-00001: sim-1 → sim-/).waitFor();
    expect(await tab.locator('.twelve li').count()).toBe(12);
    await tab.getByRole('button', { name: 'Move it back …' }).waitFor();
    await tab
      .getByRole('row', { name: /cutover/ })
      .first()
      .waitFor(soon);
    await portray('move');
  });

  test('shows a host and an endpoint', async () => {
    await tab.getByRole('searchbox').fill('tenant-00001');
    await tab.keyboard.press('Enter');
    await heading('Endpoint tenant-00001').waitFor();
    await tab.getByText('Nothing is in its way.').waitFor(soon);
    await portray('endpoint');
    await tab.getByRole('main').getByRole('link', { name: /^sim-/ }).first().click();
    await heading(/^Host sim-/).waitFor();
    await tab.getByText(/^active \(.*holds \d+ endpoints; permits out 0/).waitFor(soon);
    await portray('host');
  });

  test('shows what hurts, and says on every view that everything is paused', async () => {
    const failed = { host: 'sim-4', signal: 'disk', reason: 'it reports errors' };
    await scene.carryOut('requests', 'command.requested', { verb: 'pause', all: true, reason: 'the audit' });
    await scene.carryOut('host-changes', 'host.failed', failed);
    await tab.getByText('Everything is paused').waitFor(soon);
    await tab.getByRole('link', { name: 'Alarms' }).click();
    await heading('Alarms').waitFor();
    await tab.getByRole('row', { name: /^sim-4 failed: disk \(it reports errors\)/ }).waitFor(soon);
    await tab.getByRole('row', { name: /^movesInAll 200/ }).waitFor();
    await tab.getByText(/“the audit”/).waitFor();
    await portray('alarms');
    await scene.carryOut('host-changes', 'host.recovered', {
      host: 'sim-4',
      signal: 'disk',
      reason: 'replaced',
    });
    await scene.carryOut('requests', 'command.requested', { verb: 'resume', all: true, reason: 'done' });
    await tab.getByText('None: all hosts are well').waitFor(soon);
    await tab.getByText('Everything is paused').waitFor({ ...soon, state: 'detached' });
  });

  test('refuses what cannot be: says which id there is not', async () => {
    complaints.length = 0;
    await tab.goto(`${scene.page.url}#/batches/bt_${'0'.repeat(20)}`);
    await tab.getByRole('main').getByText('There is no batch with that id.').waitFor();
    expect(await flawsOf(tab)).toEqual([]);
    // The browser notes the 404 itself.
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
    complaints.length = 0;
  });

  test('says that it is stale while the API is away, and is live again by itself', async () => {
    await tab.goto(scene.page.url);
    await tab.getByText(/^Live · /).waitFor(soon);
    const api = `${new URL(scene.cloud.api?.url ?? '').origin}/**`;
    await tab.route(api, (route) => route.abort());
    await tab.getByText(/^Stale: as of /).waitFor(soon);
    await tab.getByText(/does not answer/).waitFor();
    await tab.getByRole('row', { name: /^sim-1/ }).waitFor();
    expect(await flawsOf(tab)).toEqual([]);
    await tab.screenshot({ path: join(pictures, 'stale.png') });
    await tab.unroute(api);
    await tab.getByText(/^Live · /).waitFor(soon);
    complaints.length = 0;
  });

  test('asks for address and key where nothing beside it has them, and keeps them in its tab only', async () => {
    const context = await browser.newContext();
    const other = await context.newPage();
    await other.route('**/config.json', (route) => route.fulfill({ status: 404 }));
    await other.goto(scene.page.url);
    await other.getByRole('heading', { name: 'Connect' }).waitFor();
    await other.evaluate(axeSource);
    expect(await flawsOf(other)).toEqual([]);
    await other.getByRole('button', { name: 'Connect' }).click();
    await other.getByRole('alert').waitFor();
    await other.getByLabel('Address of the API').fill(scene.cloud.api?.url ?? '');
    await other.getByLabel('Key').fill(scene.cloud.api?.key ?? '');
    await other.keyboard.press('Enter');
    await other.getByRole('row', { name: /^sim-1/ }).waitFor(soon);
    expect(await other.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([
      0,
      1,
      '',
    ]);
    await other.getByRole('button', { name: 'Disconnect' }).click();
    await other.getByRole('heading', { name: 'Connect' }).waitFor();
    expect(await other.evaluate('sessionStorage.length')).toBe(0);
    await context.close();
  });

  test('made the browser complain about nothing', () => {
    expect(complaints).toEqual([]);
  });
});
