import { ElanusError } from '../core/base/error.ts';
import { KernelMemory } from './memory.ts';
import { defaultBytesMax, loadModule, type ModuleOptions } from './module.ts';

/** The bounds of `maxBytes`: one page of WebAssembly's, and the addresses of 32 bits. */
const BYTES_MIN = 65_536;
const BYTES_MAX = 2 ** 32;

/** Less is not worth a look. */
const RESERVE_BYTES_MIN = 1024 * 1024;

export interface VectorMemoryOptions extends ModuleOptions {
  /** The budget in bytes, 64 KiB to 4 GiB, in whole pages of 64 KiB. Default: 1 GiB; on Workers 64 MiB. */
  readonly maxBytes?: number;
}

/**
 * One instance of the WASM core with a budget of its own, which several indexes may share: what one gives back by
 * `free`, the others use. An index that is made without one has its own.
 *
 * A WebAssembly memory never shrinks: `bytesReserved` stays where `bytes` has been, until nothing refers to the memory.
 */
export class VectorMemory {
  /** For the indexes of this package. */
  readonly kernel: KernelMemory;

  private constructor(kernel: KernelMemory) {
    this.kernel = kernel;
  }

  /** Rejects with `invalid` for a budget out of bounds, `unavailable` if the module cannot be loaded. */
  static async create(options: VectorMemoryOptions = {}): Promise<VectorMemory> {
    const { maxBytes = defaultBytesMax() } = options;
    if (!(Number.isInteger(maxBytes) && maxBytes >= BYTES_MIN && maxBytes <= BYTES_MAX)) {
      throw new ElanusError(
        'invalid',
        `maxBytes is ${maxBytes}; it is a whole number from ${BYTES_MIN} to ${BYTES_MAX}.`,
        {
          details: { option: 'maxBytes' },
        },
      );
    }
    return new VectorMemory(new KernelMemory(await loadModule(options), maxBytes));
  }

  /**
   * Grows once for what will come in many parts, if the budget has room for it: each time that a memory grows costs its
   * host far more than the bytes.
   */
  reserve(bytes: number): void {
    if (bytes < RESERVE_BYTES_MIN) return;
    const block = this.kernel.tryAllocate(bytes);
    if (block !== undefined) this.kernel.release(block);
  }

  /** Bytes in use by all indexes. */
  get bytes(): number {
    return this.kernel.bytesUsed;
  }

  /** Bytes taken from the host so far. */
  get bytesReserved(): number {
    return this.kernel.bytesReserved;
  }

  get maxBytes(): number {
    return this.kernel.bytesMax;
  }
}
