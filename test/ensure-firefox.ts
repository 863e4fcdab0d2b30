import { execFileSync } from 'node:child_process';
import { findFirefox } from './firefox.ts';

/** The Firefox that is here, else the system's package `firefox-esr` where this may install it; says what it does. */
export function ensureFirefox(): string | undefined {
  const found = findFirefox() ?? install();
  console.log(
    found === undefined
      ? 'Firefox: none found; its tests are skipped. Install it, or set FIREFOX_PATH to one, to run them.'
      : `Firefox: ${found}`,
  );
  return found;
}

function install(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  console.log("Firefox: none found; installing the system's package `firefox-esr`.");
  try {
    for (const step of [['update'], ['install', '-y', '--no-install-recommends', 'firefox-esr']]) {
      execFileSync('apt-get', step, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 5 * 60_000 });
    }
  } catch {
    return undefined;
  }
  return findFirefox();
}
