import { defineConfig } from 'vitest/config';

/** Each file makes projects, builds them and drives a browser: two at a time is what two cores bear. */
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    name: 'matrix',
    include: ['test/matrix/**/*.test.ts'],
    environment: 'node',
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
