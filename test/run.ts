import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPackage, buildPage } from '../worker/cli/build.ts';
import { ensureChrome } from './ensure-chrome.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

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
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHROME_PATH: chrome, ELANUS_BUILT: '1' },
  },
);
process.exit(status ?? 1);
