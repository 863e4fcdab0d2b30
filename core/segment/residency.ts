import { codeOf, ElanusError } from '../base/error.ts';
import type { VectorKernel } from '../vector/kernel.ts';

/** Something that holds memory which it can give back, because what it held can be read again. */
export interface Resident {
  /** Bytes in the kernel's memory. */
  readonly bytes: number;
  /** About how many bytes of JavaScript's memory its columns and its key index take. */
  readonly columnBytes: number;
  evictVectors(): void;
  evictColumns(): void;
}

/** Room that a block of vectors may take beyond its values. */
const SLACK_BYTES = 2 * 1024 * 1024;

/** Columns may take this part of what vectors may: the kernel's budget is the host's word on how much memory there is. */
const COLUMN_SHARE = 1 / 4;

/**
 * Who holds memory, least recently used first. Vectors of flushed segments make room when the kernel's budget is used
 * up, their columns when all of them together pass a share of it; what belongs to growing segments stays.
 */
export class Residency {
  readonly #kernel: VectorKernel;
  /** Column bytes when last used. A map keeps insertion order: the first is the one used longest ago. */
  readonly #residents = new Map<Resident, number>();
  #columnBytes = 0;

  constructor(kernel: VectorKernel) {
    this.#kernel = kernel;
  }

  /** Bytes of the columns that flushed segments hold, about. */
  get columnBytes(): number {
    return this.#columnBytes;
  }

  /** Marks a resident as just used; the columns of others make room if this one's have become too large. */
  use(resident: Resident): void {
    this.forget(resident);
    this.#residents.set(resident, resident.columnBytes);
    this.#columnBytes += resident.columnBytes;
    const bytesMax = this.#kernel.bytesMax * COLUMN_SHARE;
    for (const [other, bytes] of this.#residents) {
      if (this.#columnBytes <= bytesMax) return;
      if (other === resident || bytes === 0) continue;
      other.evictColumns();
      this.#residents.set(other, 0);
      this.#columnBytes -= bytes;
    }
  }

  forget(resident: Resident): void {
    this.#columnBytes -= this.#residents.get(resident) ?? 0;
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
    for (const resident of this.#residents.keys()) {
      if (resident === keep || resident.bytes === 0) continue;
      resident.evictVectors();
      return true;
    }
    return false;
  }
}
