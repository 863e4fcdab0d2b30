import simd from '#wasm/elanus.wasm';
import relaxed from '#wasm/elanus-relaxed.wasm';
import { kernelBytesMax, Residency } from '../../core/vector/residency.ts';
import { relaxedSimdSupported } from '../../wasm/detect.ts';
import { createKernel } from '../../wasm/kernel.ts';

/** Of an isolate's 128 MB, which objects of one class may share. The rest is for code, requests and answers. */
const MEMORY_BYTES_MAX = 96 * 1024 * 1024;

/** Which build of the kernel this isolate runs. */
export const KERNEL_NAME: 'relaxed-simd' | 'simd128' = relaxedSimdSupported() ? 'relaxed-simd' : 'simd128';

let residency: Residency | undefined;

/** The isolate's one kernel and its budget; made when the first object needs it: a Worker that only routes has none. */
export function isolateResidency(): Residency {
  if (residency === undefined) {
    const module = KERNEL_NAME === 'relaxed-simd' ? relaxed : simd;
    residency = new Residency(createKernel(module, { bytesMax: kernelBytesMax(MEMORY_BYTES_MAX) }), MEMORY_BYTES_MAX);
  }
  return residency;
}
