import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';
import { buildWasm } from '../../wasm/build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folders that the package is compiled from; what they reference is compiled with them. */
const COMPILED = ['browser', 'worker'];

/** The folders of `dist/` that hold compiled modules. */
const MODULE_FOLDERS = ['browser', 'core', 'wasm', 'worker'];

/**
 * Builds the publishable package in `dist/`: the compiled modules, their types, the WASM core, each worker as one
 * file without imports, so that it works behind every bundler and none, and the entries for pages as such files too. Throws if anything does not compile.
 */
export async function buildPackage(): Promise<void> {
  await buildWasm();
  // All of it, since `dist/` may have been emptied, or may hold less than the incremental build believes.
  execFileSync(
    process.execPath,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', '--force', ...COMPILED],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  for (const folder of MODULE_FOLDERS) removeOrphans(folder);
  freeImport('core/client/transformers-module.js');
  await bundleWorker('browser/engine-entry.ts', 'browser/engine-worker.js');
  await bundleWorker('wasm/vector-worker-entry.ts', 'wasm/vector-worker.js');
  await bundleStandalone('browser/index.ts', 'browser/standalone.js');
  await bundleStandalone('wasm/index.ts', 'wasm/standalone.js');
}

/** An entry as one module without imports, for pages that no bundler makes: a browser finds no package by its name. */
async function bundleStandalone(entry: string, file: string): Promise<void> {
  await bundle({
    entryPoints: [join(root, entry)],
    // In the folder of the entry: it finds its worker and its WASM from its own address.
    outfile: join(root, 'dist', file),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    logLevel: 'warning',
  });
}

/** A script, not a module: that leaves no room for imports or top-level `await`, and both kinds of worker run it. */
async function bundleWorker(entry: string, file: string): Promise<void> {
  await bundle({
    entryPoints: [join(root, entry)],
    outfile: join(root, 'dist', file),
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2024',
    logLevel: 'warning',
    // A script has no address of its own. Code that asks for it is left out, or not run: what starts a worker says.
    logOverride: { 'empty-import-meta': 'silent' },
  });
}

/** Modules whose source is gone would be published otherwise: the compiler never deletes. */
function removeOrphans(folder: string): void {
  for (const name of readdirSync(join(root, 'dist', folder), { recursive: true, encoding: 'utf8' })) {
    const source = name.replace(/\.(js|js\.map|d\.ts)$/, '.ts');
    if (source === name || existsSync(join(root, folder, source))) continue;
    rmSync(join(root, 'dist', folder, name));
  }
}

/**
 * The compiler wraps the address of an `import()` in a call of its own, behind which bundlers no longer see that they
 * are to leave it alone. The address here is a whole one, and needs no wrapping.
 */
function freeImport(file: string): void {
  const path = join(root, 'dist', file);
  const wrapped = /import\(__rewriteRelativeImportExtension\(((?:\/\*[^*]*\*\/ )+\w+)\)\)/;
  const code = readFileSync(path, 'utf8');
  if (!wrapped.test(code))
    throw new Error(`${path} has no import() as it is known here; bundlers may not leave it alone.`);
  writeFileSync(path, code.replace(wrapped, 'import($1)'));
}

/** Trains the page's embedder from its products, unless it is newer than all that it is made from. */
function buildModel(): void {
  const model = join(root, 'demo', 'embedder', 'model.bin');
  const sources = ['demo/embedder', 'demo/data'].flatMap((folder) =>
    readdirSync(join(root, folder)).flatMap((name) => (/\.(ts|gz)$/.test(name) ? [join(root, folder, name)] : [])),
  );
  const newest = Math.max(...sources.map((source) => statSync(source).mtimeMs));
  if (existsSync(model) && statSync(model).mtimeMs > newest) return;
  execFileSync(process.execPath, [join(root, 'demo', 'embedder', 'train.ts')], { cwd: root, stdio: 'inherit' });
}

/** Builds the demo page into `dist/demo`, from the package that was just built. */
export async function buildPage(): Promise<void> {
  buildModel();
  const { build } = await import('vite');
  await build({ configFile: join(root, 'demo', 'vite.config.ts'), logLevel: 'warn' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPackage();
  if (process.argv.includes('--page')) await buildPage();
}
