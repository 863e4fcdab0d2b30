import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findChrome } from './chrome.ts';

const playwright = fileURLToPath(new URL('../node_modules/.bin/playwright', import.meta.url));

/** The Chrome or Chromium that is here, else one that this gets; undefined, with what to do said, if there is no way. */
export async function ensureChrome(): Promise<string | undefined> {
  const found = findChrome();
  if (found !== undefined) {
    console.log(`Browser: ${found}`);
    return found;
  }
  console.log('Browser: none found; getting one by `playwright install chromium`.');
  const { chromium } = await import('playwright');
  if (tries(playwright, ['install', 'chromium'])) return chromium.executablePath();
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
