import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Starts the Chromium of this machine, without a window. Where there is none and we may, Debian's package is installed.
 * @throws Error with the cure where there is none
 */
export async function openChromium(): Promise<Browser> {
  const executablePath = findChromium() ?? installChromium();
  return chromium.launch({
    executablePath,
    // Root has no sandbox.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

const findChromium = (): string | undefined =>
  [process.env['CHROMIUM'], ...places].find((path) => path !== undefined && existsSync(path));

function installChromium(): string {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    process.stderr.write('There is no Chromium: installing the package chromium by apt-get …\n');
    const apt = (...args: string[]): void => {
      execFileSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    };
    apt('update');
    apt('install', '--yes', '--no-install-recommends', 'chromium');
    const path = findChromium();
    if (path !== undefined) return path;
  }
  throw new Error(
    'There is no Chromium on this machine. Install it (Debian, Ubuntu: sudo apt-get install chromium), or name one by the variable CHROMIUM.',
  );
}
