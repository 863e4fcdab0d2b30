import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureChrome } from '../ensure-chrome.ts';
import { ensureFirefox } from '../ensure-firefox.ts';
import { packPackage, TARBALL } from '../node/package-fixture.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * `npm run matrix`: builds and packs the package once, and tries it in one new project for each set-up that people have.
 * Arguments go to Vitest: `npm run matrix -- vite`. Then, unless there are arguments, it runs what Firefox runs.
 */
const chrome = await ensureChrome();
if (chrome === undefined) process.exit(1);
const folder = mkdtempSync(join(tmpdir(), 'elanus-matrix-'));
try {
  const tarball = await packPackage(folder);
  const names = process.argv.slice(2);
  const inProjects = run('matrix', names, { CHROME_PATH: chrome, [TARBALL]: tarball });
  const firefox = names.length > 0 ? undefined : ensureFirefox();
  const inFirefox = firefox === undefined ? 0 : run('firefox', [], { FIREFOX_PATH: firefox });
  process.exitCode = inProjects || inFirefox;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Runs the tests of a folder by its own configuration; 0 if all passed. */
function run(folder: string, names: readonly string[], environment: Readonly<Record<string, string>>): number {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join('test', folder, 'vitest.config.ts');
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config, ...names], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  return status ?? 1;
}
