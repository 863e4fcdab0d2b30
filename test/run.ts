import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPackage, buildPage } from '../worker/cli/build.ts';
import { findChrome } from './chrome.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

/**
 * `npm test`: makes sure that there is a browser, builds what the tests run, and runs them in Node, workerd and
 * Chromium. Arguments go to Vitest.
 */
const chrome = await ensureChrome();
if (chrome === undefined) process.exit(1);
await buildPackage();
await buildPage();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', join('test', 'vitest.config.ts'), ...process.argv.slice(2)],
  // Tests of the package take what was just built: a build of their own would move it under other tests.
  { cwd: root, stdio: 'inherit', env: { ...process.env, CHROME_PATH: chrome, ELANUS_BUILT: '1' } },
);
process.exit(status ?? 1);

async function ensureChrome(): Promise<string | undefined> {
  const found = findChrome();
  if (found !== undefined) {
    console.log(`Browser: ${found}`);
    return found;
  }
  console.log('Browser: none found; getting one by `playwright install chromium`.');
  const { chromium } = await import('playwright');
  if (tries(bin('playwright'), ['install', 'chromium'])) return chromium.executablePath();
  const isRoot = process.getuid?.() === 0;
  console.log(`Browser: no download; ${isRoot ? 'installing' : 'trying'} the system's package \`chromium\`.`);
  if (tries('apt-get', ['update']) && tries('apt-get', ['install', '-y', 'chromium'])) return findChrome();
  console.error('Browser: install Chrome or Chromium, or set CHROME_PATH to one, and run `npm test` again.');
  return undefined;
}

function tries(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 5 * 60_000 });
    return true;
  } catch {
    return false;
  }
}
