import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';
import { buildWasm } from '../../wasm/build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}

/**
 * Builds the publishable package in `dist/`: the compiled modules, their types, the WASM core, and the engine worker
 * as one file without imports, so that it works behind every bundler and none.
 */
export async function buildPackage(): Promise<void> {
  await buildWasm();
  run(bin('tsc'), ['-b']);
  await bundle({
    entryPoints: [join(root, 'browser', 'engine-worker.ts')],
    outfile: join(root, 'dist', 'browser', 'engine-worker.js'),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    sourcemap: true,
    logLevel: 'warning',
  });
}

/** Builds the demo page into `dist/demo`, from the package that was just built. */
export async function buildPage(): Promise<void> {
  const { build } = await import('vite');
  await build({ configFile: join(root, 'demo', 'vite.config.ts'), logLevel: 'warn' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPackage();
  if (process.argv.includes('--page')) await buildPage();
}
