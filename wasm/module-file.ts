import { ElanusError } from '../core/base/error.ts';
import { compileModule } from './compile.ts';
import { whenMovedByVite } from './where-installed.ts';

/**
 * Compiles the `.wasm` file at `url`: read from the disk in Node, by `fetch` elsewhere, and compiled while it arrives
 * where the server says what it is. Rejects with `unavailable`, saying what to do, if it cannot be had.
 */
export async function loadModuleFile(url: string): Promise<WebAssembly.Module> {
  try {
    const readFile = url.startsWith('file:') ? nodeReadFile() : undefined;
    if (readFile !== undefined) return await compileModule(await readFile(new URL(url)));
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    // Streaming insists on the type, which not every server knows.
    const isStreamable = response.headers.get('Content-Type')?.startsWith('application/wasm') === true;
    if (isStreamable && WebAssembly.compileStreaming !== undefined) return await WebAssembly.compileStreaming(response);
    return await compileModule(new Uint8Array(await response.arrayBuffer()));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const advice = whenMovedByVite(url) ?? ADVICE;
    throw new ElanusError('unavailable', `The WASM core could not be loaded from ${url}: ${why}. ${advice}.`, {
      details: { url },
      cause: error,
    });
  }
}

const ADVICE =
  'If the address is wrong, say where the folder of the two .wasm files is by `wasmUrl`. A Content-Security-Policy must ' +
  "allow it by `script-src 'wasm-unsafe-eval'` and `connect-src`";

type ReadFile = (url: URL) => Promise<Uint8Array<ArrayBuffer>>;

/** Node's, without an import that a bundler for pages would follow. */
function nodeReadFile(): ReadFile | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const files = process?.getBuiltinModule?.('node:fs') as { promises?: { readFile: ReadFile } } | undefined;
  return files?.promises?.readFile;
}
