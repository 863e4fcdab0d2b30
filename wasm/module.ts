import { relaxedSimdSupported } from './detect.ts';
import { loadModuleFile } from './module-file.ts';
import { whereInstalled } from './where-installed.ts';

/** The two builds, where an import brings them compiled (Workers: nothing may be compiled at run time). */
export interface ImportedModules {
  readonly simd: WebAssembly.Module;
  readonly relaxed: WebAssembly.Module;
}

/** Where the module comes from, if not from beside this package's own code. */
export interface ModuleOptions {
  /** A compiled module, which is taken as it is: `elanus-relaxed.wasm` where `relaxedSimdSupported()`, else `elanus.wasm`. */
  readonly module?: WebAssembly.Module;
  /** The folder with `elanus.wasm` and `elanus-relaxed.wasm`, ending in a slash. Default: where this code lies. */
  readonly wasmUrl?: string | URL;
}

let imported: ImportedModules | undefined;
let bytesMaxDefault = 1024 * 1024 * 1024;
const compiled = new Map<string, Promise<WebAssembly.Module>>();

/**
 * What an entry for a host with compiled modules calls once, before anything else. `bytesMax` is the budget of a memory
 * that is not told another: what the host leaves to it.
 */
export function provideModules(modules: ImportedModules, bytesMax: number): void {
  imported = modules;
  bytesMaxDefault = bytesMax;
}

/** The budget of a memory that is not told another: address space, not bytes, until they are used. */
export function defaultBytesMax(): number {
  return bytesMaxDefault;
}

/**
 * The module that runs here: the one that is given, or imported, or compiled from the package's own file, which is read
 * once: from the disk in Node, by `fetch` elsewhere.
 *
 * Rejects with `unavailable` if it cannot be loaded; the next call tries again.
 */
export async function loadModule(options: ModuleOptions = {}): Promise<WebAssembly.Module> {
  if (options.module !== undefined) return options.module;
  const isRelaxed = relaxedSimdSupported();
  if (options.wasmUrl === undefined && imported !== undefined) return isRelaxed ? imported.relaxed : imported.simd;
  const { href } = moduleUrl(isRelaxed, options.wasmUrl);
  let module = compiled.get(href);
  if (module === undefined) {
    module = loadModuleFile(href);
    compiled.set(href, module);
    module.catch(() => compiled.delete(href));
  }
  return module;
}

/** Bundlers recognise exactly `new URL('…', import.meta.url)`, copy the file and put its address in. */
function moduleUrl(isRelaxed: boolean, folder: string | URL | undefined): URL {
  const name = isRelaxed ? 'elanus-relaxed.wasm' : 'elanus.wasm';
  if (folder !== undefined) return new URL(name, new URL(folder, baseUrl()));
  const url = isRelaxed ? new URL('./elanus-relaxed.wasm', import.meta.url) : new URL('./elanus.wasm', import.meta.url);
  // Run from its sources, the package has its modules where the build puts them.
  const isSource = import.meta.url.endsWith('/wasm/module.ts');
  return isSource ? new URL(url.href.replace(/wasm\/[^/]+$/, 'dist/$&')) : whereInstalled(url, 'wasm');
}

/** In a variable of its own: a bundler would look for a file whose name it does not know. */
function baseUrl(): string {
  return import.meta.url;
}
