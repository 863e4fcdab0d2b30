import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The packages that the bench compares with are installed here, apart from those that Elanus needs. */
const PACKAGES = new URL('node_modules/', import.meta.url);

/** The folder of a peer's package, with a slash at its end; throws if it is not installed. */
export function peerFolder(name: string): string {
  const folder = fileURLToPath(new URL(`${name}/`, PACKAGES));
  if (!existsSync(folder)) throw new Error(`${name} is not installed: run \`npm install\` in test/bench.`);
  return folder;
}

/** The version that is installed. */
export function peerVersion(name: string): string {
  return (JSON.parse(readFileSync(`${peerFolder(name)}package.json`, 'utf8')) as { version: string }).version;
}

/** Imports a file of a peer's package. The caller says what it exports: the packages' own types are not installed. */
export async function importPeer<Exports>(name: string, file: string): Promise<Exports> {
  return (await import(pathToFileURL(`${peerFolder(name)}${file}`).href)) as Exports;
}

/** Loads a CommonJS package from a folder, as `require` does. */
export function requireFrom<Exports>(folder: string): Exports {
  return createRequire(import.meta.url)(folder) as Exports;
}
