import simd from '#wasm/elanus.wasm';
import relaxed from '#wasm/elanus-relaxed.wasm';
import type { VectorKernel } from '../../core/vector/kernel.ts';
import { relaxedSimdSupported } from '../../wasm/detect.ts';
import { createKernel } from '../../wasm/kernel.ts';

/** Of an isolate's 128 MB, which objects of one class may share. The rest is for JavaScript: answers, tails, buffers. */
const KERNEL_BYTES_MAX = 64 * 1024 * 1024;

/** Which build of the kernel this isolate runs. */
export const KERNEL_NAME: 'relaxed-simd' | 'simd128' = relaxedSimdSupported() ? 'relaxed-simd' : 'simd128';

let kernel: VectorKernel | undefined;

/** The isolate's one kernel; made when the first object needs it, so that a Worker that only routes has none. */
export function isolateKernel(): VectorKernel {
  kernel ??= createKernel(KERNEL_NAME === 'relaxed-simd' ? relaxed : simd, { bytesMax: KERNEL_BYTES_MAX });
  return kernel;
}
