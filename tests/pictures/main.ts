/**
 * The pictures of the README, taken of the running system: a drain of simulated hosts, in the console.
 *
 *     npm run pictures          writes docs/pictures/*.png
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openChromium } from '../support/chromium.ts';
import { ConsoleScene, root } from '../support/console-scene.ts';

const folder = join(root, 'docs', 'pictures');
const patience = { timeout: 120_000 };
/** A copy takes some seconds, so that many travel at once. */
const behaviour = { copyBytesPerSecond: 12_000, slots: 8, workers: 8 };

mkdirSync(folder, { recursive: true });
const [scene, browser] = await Promise.all([
  ConsoleScene.set({ hosts: 10, endpoints: 160, onHosts: 8, bytes: 40_000, behaviour }, 1_600_000),
  openChromium(),
]);
try {
  const tab = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
  await tab.goto(scene.page.url);
  await tab.getByRole('img', { name: /^10 hosts with 160 serving/ }).waitFor(patience);
  const batch = await scene.fleet.drain('sim-1', 'a disk reports errors');
  await scene.fleet.drain('sim-2', 'new hardware');
  await tab.getByRole('img', { name: /\d being copied/ }).waitFor(patience);
  await tab.waitForTimeout(4_000);
  await tab.screenshot({ path: join(folder, 'console-fleet.png') });
  await tab.goto(`${scene.page.url}#/batches/${batch}`);
  await tab.getByText(/left \(/).waitFor(patience);
  await tab.getByRole('region', { name: 'Table of steps' }).getByRole('link').nth(5).waitFor(patience);
  await tab.screenshot({ path: join(folder, 'console-batch.png') });
} finally {
  await browser.close();
  await scene.strike();
}
