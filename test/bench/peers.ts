import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The packages that the bench compares with are installed here, apart from those that Elanus needs. */
const PACKAGES = new URL('node_modules/', import.meta.url);

/**
 * Installs them, if that was not done, and says why not if that fails. Their install scripts are not run: what must be
 * compiled, its system compiles.
 */
export function installPeers(): string | undefined {
  if (existsSync(PACKAGES)) return undefined;
  const folder = fileURLToPath(new URL('.', import.meta.url));
  console.log(`Installing what is compared with into ${folder}node_modules ...`);
  const { status, stderr, error } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: folder, encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr);
}

/** The folder of a peer's package, with a slash at its end; throws if it is not installed. */
export function peerFolder(name: string): string {
  const folder = fileURLToPath(new URL(`${name}/`, PACKAGES));
  if (!existsSync(folder)) throw new Error(`${name} is not installed: run \`npm ci --ignore-scripts\` in test/bench.`);
  return folder;
}

/** The version that is installed. */
export function peerVersion(name: string): string {
  return (JSON.parse(readFileSync(`${peerFolder(name)}package.json`, 'utf8')) as { version: string }).version;
}

/**
 * Imports a file of a peer's package; with another `copy`, as a module of its own with its own state. The caller says
 * what it exports: the packages' own types are not installed.
 */
export async function importPeer<Exports>(name: string, file: string, copy?: number): Promise<Exports> {
  const { href } = pathToFileURL(`${peerFolder(name)}${file}`);
  return (await import(copy === undefined ? href : `${href}?${copy}`)) as Exports;
}

/** Loads a CommonJS package from a folder, as `require` does. */
export function requireFrom<Exports>(folder: string): Exports {
  return createRequire(import.meta.url)(folder) as Exports;
}
