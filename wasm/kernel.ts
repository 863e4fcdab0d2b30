import { assert } from '../core/base/assert.ts';
import { DIMENSION_MAX } from '../core/model/limits.ts';
import type { ElementType, VectorMetric } from '../core/vector/element.ts';
import type { FlatVectors, VectorKernel } from '../core/vector/kernel.ts';
import { foldedCrc32c } from './checksum.ts';
import { WasmFlat } from './flat.ts';
import { KernelMemory } from './memory.ts';

export interface KernelOptions {
  /** The budget, in bytes: 64 KiB to 4 GiB, rounded down to whole pages of 64 KiB. The module's own data count too. */
  readonly bytesMax: number;
}

/**
 * An instance of the WASM core. Synchronous, and without run-time compilation, so that it works where only imported
 * modules run.
 *
 * Make one per isolate or worker, at module scope: the budget is the isolate's, and a WebAssembly memory never shrinks
 * while anything lies in it, so that a second instance would take its high-water mark away from the first.
 */
export function createKernel(module: WebAssembly.Module, options: KernelOptions): VectorKernel {
  return new WasmKernel(new KernelMemory(module, options.bytesMax));
}

class WasmKernel implements VectorKernel {
  readonly #memory: KernelMemory;

  constructor(memory: KernelMemory) {
    this.#memory = memory;
  }

  get bytes(): number {
    return this.#memory.bytesUsed;
  }

  get bytesReserved(): number {
    return this.#memory.bytesReserved;
  }

  get bytesMax(): number {
    return this.#memory.bytesMax;
  }

  crc32c(bytes: Uint8Array): number {
    return foldedCrc32c(this.#memory, bytes);
  }

  limit(bytes: number): void {
    this.#memory.limit(bytes);
  }

  reset(): void {
    this.#memory.reset();
  }

  flat(dimension: number, metric: VectorMetric, elements: ElementType = 'f32'): FlatVectors {
    assert(Number.isInteger(dimension) && dimension >= 1 && dimension <= DIMENSION_MAX, 'a dimension is in its range');
    return new WasmFlat(this.#memory, dimension, metric, elements);
  }
}
