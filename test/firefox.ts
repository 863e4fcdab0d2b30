import { existsSync } from 'node:fs';
import { type Browser, launch } from 'puppeteer-core';

const USUAL_PLACES = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/snap/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
];

/** The Firefox that the tests drive: `FIREFOX_PATH`, else the first of the usual places; undefined if there is none. */
export function findFirefox(): string | undefined {
  const named = process.env['FIREFOX_PATH'];
  if (named !== undefined && named !== '') return named;
  return USUAL_PLACES.find((place) => existsSync(place));
}

export interface FirefoxOptions {
  /** The folder of a profile that outlives the browser; by default one of its own, which does not. */
  readonly profile?: string;
  /** Settings as `about:config` has them. */
  readonly preferences?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Starts a Firefox as Mozilla or a distribution ships it, driven over WebDriver BiDi. By Puppeteer: Playwright 1.65 asks
 * every browser for `emulation.setMediaFeaturesOverride`, which Firefox 153 ESR does not know, and its own Firefox is a
 * patched one.
 */
export function launchFirefox({ profile, preferences = {} }: FirefoxOptions = {}): Promise<Browser> {
  const executablePath = findFirefox();
  if (executablePath === undefined) throw new Error('There is no Firefox: install it, or set FIREFOX_PATH to one.');
  return launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    timeout: 60_000,
    protocolTimeout: 300_000,
    extraPrefsFirefox: { ...preferences },
    ...(profile === undefined ? {} : { userDataDir: profile }),
  });
}
