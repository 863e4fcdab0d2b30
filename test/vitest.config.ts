import { join } from 'node:path';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { playwright } from '@vitest/browser-playwright';
import { build } from 'esbuild';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { chromeLaunch } from './chrome.ts';

const root = new URL('..', import.meta.url).pathname;

/**
 * Serves the worker of `open` as one file, as pages have it: from a hundred modules, each of the many workers that the
 * tests start takes seconds.
 */
const bundledWorker: Plugin = {
  name: 'bundled-worker',
  configureServer: async (server) => {
    const { outputFiles } = await build({
      entryPoints: [join(root, 'browser', 'engine-entry.ts')],
      bundle: true,
      write: false,
      format: 'iife',
      target: 'es2024',
      sourcemap: 'inline',
      logOverride: { 'empty-import-meta': 'silent' },
    });
    server.middlewares.use('/engine-worker.js', (_, response) => {
      response.setHeader('Content-Type', 'text/javascript').end(outputFiles[0]?.contents);
    });
  },
};

export default defineConfig({
  root,
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        root,
        test: {
          name: 'node',
          include: [
            'test/core/**/*.test.ts',
            'test/simulation/**/*.test.ts',
            'test/node/**/*.test.ts',
            'test/*.test.ts',
          ],
          environment: 'node',
          // What a test waits for comes later on a machine that has other work.
          expect: { poll: { timeout: 15_000 } },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        root,
        plugins: [cloudflareTest({ wrangler: { configPath: './worker/wrangler.jsonc' } })],
        test: { name: 'workerd', include: ['test/workerd/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        root,
        plugins: [bundledWorker],
        test: {
          name: 'chromium',
          include: ['test/chromium/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: chromeLaunch() }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
