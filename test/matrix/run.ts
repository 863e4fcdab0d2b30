import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureChrome } from '../ensure-chrome.ts';
import { packPackage, TARBALL } from '../node/package-fixture.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * `npm run matrix`: builds and packs the package once, and tries it in one new project for each set-up that people have.
 * Arguments go to Vitest: `npm run matrix -- vite`.
 */
const chrome = await ensureChrome();
if (chrome === undefined) process.exit(1);
const folder = mkdtempSync(join(tmpdir(), 'elanus-matrix-'));
try {
  const tarball = await packPackage(folder);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--config', join('test', 'matrix', 'vitest.config.ts'), ...process.argv.slice(2)],
    { cwd: root, stdio: 'inherit', env: { ...process.env, CHROME_PATH: chrome, [TARBALL]: tarball } },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
