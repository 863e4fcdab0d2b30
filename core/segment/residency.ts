import { codeOf, ElanusError } from '../base/error.ts';
import type { VectorKernel } from '../vector/kernel.ts';

/** Something that holds kernel memory and can give it back, because it can be read again. */
export interface Resident {
  /** Frees what can be read again. */
  evict(): void;
}

/** Room that a block of vectors may take beyond its values. */
const SLACK_BYTES = 2 * 1024 * 1024;

/**
 * Who holds the kernel's memory, least recently used first: the vectors of flushed segments make room, those of
 * growing segments stay.
 */
export class Residency {
  readonly #kernel: VectorKernel;
  /** A set keeps insertion order: the first is the one used longest ago. */
  readonly #residents = new Set<Resident>();

  constructor(kernel: VectorKernel) {
    this.#kernel = kernel;
  }

  /** Marks a resident as just used. */
  use(resident: Resident): void {
    this.#residents.delete(resident);
    this.#residents.add(resident);
  }

  forget(resident: Resident): void {
    this.#residents.delete(resident);
  }

  /** Runs what takes kernel memory, and makes room for it as long as there is something to evict. */
  take<Result>(run: () => Result, keep?: Resident): Result {
    for (;;) {
      try {
        return run();
      } catch (error) {
        if (codeOf(error) !== 'quota' || !this.#evictOne(keep)) throw error;
      }
    }
  }

  /** Makes sure that about this many bytes of vectors will fit; rejects before anything is written if they cannot. */
  reserve(bytes: number): void {
    while (this.#kernel.bytes + bytes + SLACK_BYTES > this.#kernel.bytesMax) {
      if (this.#evictOne(undefined)) continue;
      throw new ElanusError(
        'overloaded',
        `The vectors need ${bytes} bytes of memory, and ${this.#kernel.bytes} of ${this.#kernel.bytesMax} are in use. Flush, or give the engine more memory.`,
        { milvusCode: 3, details: { bytes, bytesUsed: this.#kernel.bytes, bytesMax: this.#kernel.bytesMax } },
      );
    }
  }

  #evictOne(keep: Resident | undefined): boolean {
    for (const resident of this.#residents) {
      if (resident === keep) continue;
      this.#residents.delete(resident);
      resident.evict();
      return true;
    }
    return false;
  }
}
