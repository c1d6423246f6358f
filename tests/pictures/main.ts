/**
 * The pictures of the README, taken of the running system: a drain of simulated hosts in the console and on a terminal,
 * and the pipeline as it is packaged.
 *
 *     npm run pictures          writes docs/pictures/
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { main } from '../../cli/main.ts';
import { packageService } from '../../local/packaging/package.ts';
import { readTemplate } from '../../local/template/template.ts';
import { Captured } from '../support/captured-terminal.ts';
import { openChromium } from '../support/chromium.ts';
import { ConsoleScene, root } from '../support/console-scene.ts';
import { drawPipeline } from './draw-pipeline.ts';
import { pictureOfTerminal } from './terminal-picture.ts';

const folder = join(root, 'docs', 'pictures');
const patience = { timeout: 120_000 };
/** A copy takes some seconds, so that many travel at once. */
const behaviour = { copyBytesPerSecond: 12_000, slots: 8, workers: 8 };
/** All moves of one batch, and what is in their way. */
const screen = { columns: 108, rows: 28 };

mkdirSync(folder, { recursive: true });
const { templatePath } = await packageService({
  root,
  stage: 'dev',
  params: {},
  onPackaging: () => undefined,
});
const { Resources } = await readTemplate(templatePath);
writeFileSync(join(folder, 'pipeline.svg'), await drawPipeline(Resources));

const [scene, browser] = await Promise.all([
  ConsoleScene.set({ hosts: 10, endpoints: 160, onHosts: 8, bytes: 40_000, behaviour }, 1_600_000),
  openChromium(),
]);
try {
  const tab = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
  await tab.goto(scene.page.url);
  await tab.getByRole('img', { name: /^10 hosts with 160 serving/ }).waitFor(patience);
  const batch = await scene.fleet.drain('sim-1', 'a disk reports errors');
  const watching = watch(scene.cloud.stateDir, batch);
  await scene.fleet.drain('sim-2', 'new hardware');
  await tab.getByRole('img', { name: /\d being copied/ }).waitFor(patience);
  await tab.waitForTimeout(4_000);
  await tab.screenshot({ path: join(folder, 'console-fleet.png') });
  await tab.goto(`${scene.page.url}#/batches/${batch}`);
  await tab.getByText(/left \(/).waitFor(patience);
  await tab.getByRole('region', { name: 'Table of steps' }).getByRole('link').nth(5).waitFor(patience);
  await tab.screenshot({ path: join(folder, 'console-batch.png') });
  writeFileSync(
    join(folder, 'batch-watch.svg'),
    await pictureOfTerminal(watching.shown(), screen, `dray batch watch ${batch}`),
  );
  await watching.stop();
} finally {
  await browser.close();
  await scene.strike();
}

/** `dray batch watch` on a terminal that somebody looks at. */
function watch(stateDir: string, batch: string) {
  const stdout = new Captured(screen);
  let interrupt = (): void => undefined;
  const running = main({
    argv: ['--state-dir', stateDir, 'batch', 'watch', batch],
    env: {},
    stdin: Readable.from([]),
    stdout,
    stderr: new Captured(),
    onInterrupt: (then) => {
      interrupt = then;
      return () => undefined;
    },
  });
  return {
    shown: (): string => stdout.text,
    stop: async (): Promise<void> => {
      interrupt();
      await running;
    },
  };
}
