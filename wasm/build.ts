import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/**
 * Compiles `assembly/` into `dist/wasm/`: two modules from one source. Does nothing if they are there and were made
 * from the same sources, flags and compiler. May run several times at once.
 */

const ROOT = new URL('..', import.meta.url);
const SOURCES = new URL('assembly/', import.meta.url);
const TARGET = new URL('dist/wasm/', ROOT);
const STAMP = new URL('build.json', TARGET);

const FLAGS = '--runtime stub -O3 --noAssert --enable simd --enable bulk-memory --importMemory --zeroFilledMemory';

/** The modules and what tells their flags apart. */
const MODULES: ReadonlyMap<string, string> = new Map([
  ['elanus.wasm', ''],
  ['elanus-relaxed.wasm', '--enable relaxed-simd'],
]);

const COMPILER: string = 'assemblyscript/asc';

/**
 * As much of the compiler as is used. Its own types declare AssemblyScript's `console`, which would hide the host's from
 * everything that is compiled together with this file: so they are not imported.
 */
export interface Compiler {
  main(
    options: readonly string[],
    files: {
      readFile?(name: string): string | null;
      writeFile(name: string, contents: string | Uint8Array): void;
      listFiles?(): null;
    },
  ): Promise<{ readonly error: Error | null; readonly stderr: { toString(): string } }>;
}

/** Builds what is out of date, and says whether anything was. */
export async function buildWasm(): Promise<boolean> {
  const fingerprint = await sourcesFingerprint();
  const built = await readFile(STAMP, 'utf8').catch(() => '');
  if (built === fingerprint) return false;
  await mkdir(TARGET, { recursive: true });
  for (const [name, flags] of MODULES) await replaceFile(new URL(name, TARGET), await compile(flags));
  await replaceFile(STAMP, fingerprint);
  return true;
}

/** The bytes of a built module. */
export async function readWasm(name: 'elanus.wasm' | 'elanus-relaxed.wasm'): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(new URL(name, TARGET)));
}

async function sourcesFingerprint(): Promise<string> {
  const hash = createHash('sha256');
  const { version } = createRequire(import.meta.url)('assemblyscript/package.json') as { version: string };
  hash.update(JSON.stringify([version, FLAGS, ...MODULES]));
  const names = (await readdir(SOURCES, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  for (const name of names) hash.update(name).update(await readFile(new URL(name, SOURCES)));
  return `${JSON.stringify({ sources: hash.digest('hex') })}\n`;
}

async function compile(flags: string): Promise<Uint8Array> {
  const { main } = (await import(COMPILER)) as Compiler;
  let bytes: Uint8Array | undefined;
  const entry = ['wasm/assembly/index.ts', '--baseDir', fileURLToPath(ROOT), '--outFile', 'module.wasm'];
  const { error, stderr } = await main([...entry, ...`${FLAGS} ${flags}`.trim().split(' ')], {
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (typeof contents !== 'string') bytes = contents;
    },
  });
  if (error !== null || bytes === undefined) throw new Error(`asc: ${stderr.toString()}`, { cause: error });
  return bytes;
}

/** Files that this process has replaced: two buildings at once in it do not share a temporary file. */
let replaced = 0;

/** Another process may be building, or reading, at this moment: a file appears whole or not at all. */
async function replaceFile(file: URL, contents: Uint8Array | string): Promise<void> {
  const temporary = new URL(`${file.href}.${process.pid}.${++replaced}.tmp`);
  await writeFile(temporary, contents);
  await rename(temporary, file);
}

if (import.meta.main) {
  const isFresh = await buildWasm();
  for (const name of MODULES.keys()) {
    const bytes = await readWasm(name as 'elanus.wasm');
    const gzipBytes = gzipSync(bytes, { level: 9 }).byteLength;
    console.log(`dist/wasm/${name}: ${bytes.byteLength} bytes, ${gzipBytes} gzip${isFresh ? '' : ' (up to date)'}`);
  }
}
