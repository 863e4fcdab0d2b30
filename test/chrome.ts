import { existsSync } from 'node:fs';

const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The Chrome or Chromium that the tests drive: `CHROME_PATH`, else the first of the usual places; undefined if there is none. */
export function findChrome(): string | undefined {
  const named = process.env['CHROME_PATH'];
  if (named !== undefined && named !== '') return named;
  return USUAL_PLACES.find((place) => existsSync(place));
}

/** No sandbox, because tests may run as root in a container; nothing that calls home; no window. */
export const CHROME_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How Playwright starts it; without a path it takes its own. */
export function chromeLaunch(): { executablePath?: string; args: string[] } {
  const executablePath = findChrome();
  return { ...(executablePath === undefined ? {} : { executablePath }), args: [...CHROME_FLAGS] };
}
