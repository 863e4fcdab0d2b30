import type { VectorKernel } from '../../core/vector/kernel.ts';
import { buildWasm, readWasm } from '../../wasm/build.ts';
import { compileModule } from '../../wasm/compile.ts';
import { relaxedSimdSupported } from '../../wasm/detect.ts';
import { createKernel } from '../../wasm/kernel.ts';

export type WasmBuild = 'simd' | 'relaxed';

/** The builds that this machine runs. */
export const WASM_BUILDS: readonly WasmBuild[] = relaxedSimdSupported() ? ['simd', 'relaxed'] : ['simd'];

const modules = new Map<WasmBuild, Promise<WebAssembly.Module>>();

/** The compiled module; the WASM is built first if it is out of date. */
export function nodeModule(build: WasmBuild = WASM_BUILDS.at(-1) as WasmBuild): Promise<WebAssembly.Module> {
  let module = modules.get(build);
  if (module === undefined) {
    module = buildWasm()
      .then(() => readWasm(build === 'relaxed' ? 'elanus-relaxed.wasm' : 'elanus.wasm'))
      .then((bytes) => compileModule(bytes));
    modules.set(build, module);
  }
  return module;
}

/** A fresh kernel in Node: the best build, or the one that is named. `bytesMax` defaults to 256 MiB. */
export async function nodeKernel(bytesMax: number = 256 * 1024 * 1024, build?: WasmBuild): Promise<VectorKernel> {
  return createKernel(await nodeModule(build), { bytesMax });
}
