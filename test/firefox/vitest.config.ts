import { defineConfig } from 'vitest/config';
import { shippedFirefox } from './provider.ts';

const root = new URL('../..', import.meta.url).pathname;
const times = { testTimeout: 180_000, hookTimeout: 60_000 };

/** The suites of what touches the browser's storage, inside Firefox; and real pages in it, driven from Node. */
export default defineConfig({
  root,
  test: {
    projects: [
      {
        root,
        test: {
          ...times,
          name: 'firefox',
          include: ['test/chromium/stores.test.ts', 'test/chromium/object-log.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: shippedFirefox(),
            instances: [{ browser: 'firefox' }],
          },
        },
      },
      { root, test: { ...times, name: 'pages', include: ['test/firefox/**/*.test.ts'], environment: 'node' } },
    ],
  },
});
