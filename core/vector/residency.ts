import { codeOf, ElanusError } from '../base/error.ts';
import { Mutex } from '../base/mutex.ts';
import type { MemoryUse } from '../model/inspection.ts';
import { dropFilterCache, filterCacheBytes } from '../query/json-paths.ts';
import type { VectorKernel } from './kernel.ts';
import { type Charge, type ChargedKind, MemoryCharges } from './memory-charges.ts';

/** Something that holds memory which it can give back, because what it held can be read again. */
export interface Resident {
  /** Bytes in the kernel's memory. */
  readonly bytes: number;
  /** Bytes of JavaScript's memory that its columns and its key index take. */
  readonly columnBytes: number;
  evictVectors(): void;
  evictColumns(): void;
}

/** Something that takes writes into memory, where they stay until they are flushed. */
export interface Grower {
  /** Bytes that a flush would make evictable, in the kernel and in JavaScript. */
  readonly growingBytes: number;
  flush(): Promise<void>;
}

/** How much memory something will take, at most. */
export interface MemoryGrowth {
  readonly kernelBytes: number;
  readonly heapBytes: number;
  /** Bytes beside the values that blocks of the kernel may take; counted once, however many grow at a time. */
  readonly kernelSlackBytes?: number;
}

/** Memory that a write or a load may take. */
export interface Reservation {
  /** It has been taken, or is not needed any more. Releasing twice does no harm. */
  release(): void;
}

/** What memory is asked for. What is written has to be flushed later; what is loaded can make room again. */
interface Wanted extends MemoryGrowth {
  readonly kind: 'log' | 'load';
  /** Bytes that are held at once, and until the reservation is released. */
  readonly heldBytes: number;
}

/** What a load takes at most, at the moment of asking: others may load or evict while it waits. */
export type LoadGrowthOf = () => MemoryGrowth & { readonly heldBytes: number };

/** The kernel's part of a budget: vectors are most of what there is, and some of the rest is always JavaScript's. */
const KERNEL_SHARE = 3 / 4;
/** Room in the kernel for the bitmap, the queries and the heaps of a search. */
const SEARCH_BYTES = 256 * 1024;
/** A flush holds the objects that it writes, and a copy of the part that it makes: so much is kept free for it. */
export const FLUSH_COPIES = 2;
/** Writes that wait for memory; more are `overloaded`. */
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
/** A record lies in its request and in the frame that is appended. */
const RECORD_COPIES = 2;
/** A memory that is empty is replaced if it has taken more than this from the host. */
const KERNEL_KEPT_BYTES = 1024 * 1024;

/** How much of a budget of `bytesMax` a kernel may take. */
export function kernelBytesMax(bytesMax: number): number {
  return Math.floor(bytesMax * KERNEL_SHARE);
}

/**
 * The memory of an engine: one for each kernel, so one for each worker or isolate. It counts what lies in the kernel
 * and in JavaScript, and makes room within the budget.
 *
 * - What was loaded from the store (vectors, columns and key indexes of flushed segments, values that filters keep)
 *   makes room for whatever comes, the least recently used first.
 * - What was written and not yet flushed stays. A write reserves its memory before it goes into the log: if there is
 *   none, what grows is flushed first; if that does not help, it is refused with `quota` and nothing has changed. Room
 *   for the flush itself is always left.
 * - `bytes` never passes `bytesMax`. Answers on their way, and what a request takes before it reaches its channel, are
 *   not counted: they are bounded by the limits of requests.
 */
export class Residency {
  readonly kernel: VectorKernel;
  readonly bytesMax: number;
  /** In the order of use: the first was used longest ago. */
  readonly #residents = new Set<Resident>();
  readonly #growers = new Set<Grower>();
  readonly #charges = new MemoryCharges(() => this.#notePeak());
  /** Of all reservations that are not released, and how much of it will have to be flushed. */
  readonly #promised = { kernelBytes: 0, heapBytes: 0, flushBytes: 0 };
  #outstanding = 0;
  readonly #whenReleased: (() => void)[] = [];
  /** Residents that a load is bringing in, and how many: they make room for nobody. */
  readonly #pinned = new Map<Resident, number>();
  readonly #held: Readonly<Record<Wanted['kind'], Charge>>;
  readonly #heldBytes = { log: 0, load: 0 };
  #waitingBytes = 0;
  readonly #writers = new Mutex();
  readonly #loaders = new Mutex();
  #bytesPeak = 0;

  /** @param bytesMax of kernel and JavaScript together; the kernel was made with `kernelBytesMax` of it */
  constructor(kernel: VectorKernel, bytesMax: number) {
    this.kernel = kernel;
    this.bytesMax = bytesMax;
    this.#held = { log: this.charge('log'), load: this.charge('load') };
  }

  /** Bytes held now: what the kernel has taken from the host, and what lies in JavaScript. */
  get bytes(): number {
    return this.kernel.bytesReserved + this.#charges.bytes + filterCacheBytes();
  }

  /** The most bytes that were held at any time. */
  get bytesPeak(): number {
    return this.#bytesPeak;
  }

  /** What is held, by kind. */
  use(): MemoryUse {
    const { bytes: vectors, bytesReserved } = this.kernel;
    const kinds = {
      vectors,
      spare: bytesReserved - vectors,
      caches: filterCacheBytes(),
      ...this.#charges.byKind,
    };
    return { bytes: this.bytes, bytesMax: this.bytesMax, bytesPeak: this.#bytesPeak, kinds };
  }

  /** A new holder of memory in JavaScript. */
  charge(kind: ChargedKind): Charge {
    return this.#charges.charge(kind);
  }

  /** Marks a resident as just used. */
  touch(resident: Resident): void {
    this.#residents.delete(resident);
    this.#residents.add(resident);
  }

  /** A resident has freed what it held for good. */
  forget(resident: Resident): void {
    this.#residents.delete(resident);
    this.#shrink();
  }

  /** Takes part in making room for writes, until the function that it returns is called. */
  join(grower: Grower): () => void {
    this.#growers.add(grower);
    return () => this.#growers.delete(grower);
  }

  /** Runs what takes kernel memory, and makes room for it as long as there is something to evict. */
  take<Result>(run: () => Result, keep?: Resident): Result {
    for (;;) {
      this.kernel.limit(this.bytesMax - this.#heapBytes() - this.#flushBytes(0));
      try {
        const result = run();
        this.#notePeak();
        return result;
      } catch (error) {
        if (codeOf(error) !== 'quota' || !(this.#evictVectors(keep) || this.#evictHeap(keep))) throw error;
      }
    }
  }

  /** CRC-32C of what was read. */
  checksum(bytes: Uint8Array): number {
    return this.take(() => this.kernel.crc32c(bytes));
  }

  /**
   * Promises memory to a load, and keeps its resident from making room until the reservation is released. Waits in turn
   * for other loads and writes. Rejects with `quota` if it does not fit though everything else has been let go, and
   * what was written has been flushed. Whoever holds a reservation must not wait for another.
   */
  reserveLoad(resident: Resident, growthOf: LoadGrowthOf): Promise<Reservation> {
    const granted = this.#loaders.waiting === 0 ? this.spareLoad(resident, growthOf, true) : undefined;
    if (granted !== undefined) return Promise.resolve(granted);
    const advice = 'Give the engine more memory (`memoryBytesMax`).';
    return this.#loaders.run(() => this.#grantLater(() => ({ kind: 'load', ...growthOf() }), resident, advice));
  }

  /** The same for a load that nobody waits for yet: undefined if there is no room. By default nothing makes room for it. */
  spareLoad(resident: Resident, growthOf: LoadGrowthOf, evicts: boolean = false): Reservation | undefined {
    const wanted: Wanted = { kind: 'load', ...growthOf() };
    return (evicts ? this.#tryRoom(wanted, resident) : this.#fits(wanted)) ? this.#grant(wanted, resident) : undefined;
  }

  /** The same for a load that a flush needs: what it takes is little, and others may wait for the flush. */
  flushLoad(resident: Resident, growthOf: LoadGrowthOf): Reservation {
    const wanted: Wanted = { kind: 'load', ...growthOf() };
    this.#tryRoom(wanted, resident);
    return this.#grant(wanted, resident);
  }

  /**
   * Promises memory to a write, which is not in the log yet; waits for other writes and for flushes if it must. Rejects
   * with `quota` if there is none, `overloaded` if too much waits.
   *
   * @param recordBytes of the record on its way into the log
   */
  async reserveWrite(growth: MemoryGrowth, recordBytes: number): Promise<Reservation> {
    const wanted: Wanted = { kind: 'log', ...growth, heldBytes: RECORD_COPIES * recordBytes };
    if (this.#writers.waiting === 0 && this.#tryRoom(wanted, undefined)) return this.#grant(wanted, undefined);
    if (this.#waitingBytes + recordBytes > WAITING_BYTES_MAX) {
      throw new ElanusError('overloaded', 'Too many writes wait for memory; write again in a moment.', {
        details: { bytesWaiting: this.#waitingBytes, outcome: 'not-written' },
      });
    }
    this.#waitingBytes += recordBytes;
    const advice = 'Send fewer rows at once, or give the engine more memory (`memoryBytesMax`).';
    try {
      return await this.#writers.run(() => this.#grantLater(() => wanted, undefined, advice));
    } finally {
      this.#waitingBytes -= recordBytes;
    }
  }

  /** Lets go of all that can be read again. */
  evictAll(): void {
    dropFilterCache();
    this.evict(this.#residents);
  }

  /** Lets go of all that these hold. */
  evict(residents: Iterable<Resident>): void {
    for (const resident of residents) {
      if (this.#pinned.has(resident)) continue;
      resident.evictVectors();
      resident.evictColumns();
    }
    this.#shrink();
  }

  /** A WebAssembly memory never shrinks; but when nothing is in it, a new one can take its place. */
  #shrink(): void {
    if (this.kernel.bytes === 0 && this.kernel.bytesReserved > KERNEL_KEPT_BYTES) this.kernel.reset();
  }

  #grant(wanted: Wanted, pin: Resident | undefined): Reservation {
    this.#count(wanted, pin, 1);
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#count(wanted, pin, -1);
        for (const tell of this.#whenReleased.splice(0)) tell();
      },
    };
  }

  #count({ kind, kernelBytes, heapBytes, heldBytes }: Wanted, pin: Resident | undefined, sign: 1 | -1): void {
    this.#outstanding += sign;
    this.#promised.kernelBytes += sign * kernelBytes;
    this.#promised.heapBytes += sign * heapBytes;
    if (kind === 'log') this.#promised.flushBytes += sign * (kernelBytes + heapBytes);
    this.#heldBytes[kind] += sign * heldBytes;
    this.#held[kind].set(this.#heldBytes[kind]);
    if (pin === undefined) return;
    const pins = (this.#pinned.get(pin) ?? 0) + sign;
    if (pins === 0) this.#pinned.delete(pin);
    else this.#pinned.set(pin, pins);
  }

  /** Waits for room: for whoever holds a reservation, which ends by itself, then for a flush of what grows. */
  async #grantLater(wantedOf: () => Wanted, pin: Resident | undefined, advice: string): Promise<Reservation> {
    for (;;) {
      const wanted = wantedOf();
      if (this.#tryRoom(wanted, pin)) return this.#grant(wanted, pin);
      if (this.#outstanding > 0) await new Promise<void>((resolve) => this.#whenReleased.push(resolve));
      else if (!(await this.#flushLargest())) throw this.#quota(wanted, advice);
    }
  }

  /** Flushes what grows most; false if nothing does. A flush that fails says why there is no memory. */
  async #flushLargest(): Promise<boolean> {
    let largest: Grower | undefined;
    for (const grower of this.#growers) {
      if (grower.growingBytes > (largest?.growingBytes ?? 0)) largest = grower;
    }
    await largest?.flush();
    return largest !== undefined;
  }

  /** Evicts until there is room; false if there is none. */
  #tryRoom(wanted: Wanted, keep: Resident | undefined): boolean {
    while (!this.#fits(wanted)) {
      const kernelBytes = this.#kernelBytesWith(wanted);
      // Vectors make room for vectors; they make none for anything else, unless all of them go.
      if (kernelBytes > this.kernel.bytesReserved && this.#evictVectors(keep)) continue;
      if (this.#isKernelFull(wanted) || !(this.#evictHeap(keep) || this.#emptyKernel(keep))) return false;
    }
    return true;
  }

  #fits(wanted: Wanted): boolean {
    return !this.#isKernelFull(wanted) && this.#bytesWith(wanted) <= this.bytesMax;
  }

  #isKernelFull(wanted: Wanted): boolean {
    return wanted.kernelBytes > 0 && this.#kernelBytesWith(wanted) > this.kernel.bytesMax;
  }

  /** Bytes of the kernel that would be in use, promised ones included. */
  #kernelBytesWith({ kernelBytes, kernelSlackBytes = 0 }: MemoryGrowth): number {
    const slack = kernelBytes > 0 ? SEARCH_BYTES + kernelSlackBytes : 0;
    return this.kernel.bytes + this.#promised.kernelBytes + kernelBytes + slack;
  }

  /** All bytes that there would be, with those that a flush would need. Free blocks are used before the kernel grows. */
  #bytesWith(wanted: Wanted): number {
    const { kind, kernelBytes, heapBytes, heldBytes } = wanted;
    const flush = this.#flushBytes(kind === 'log' ? kernelBytes + heapBytes : 0);
    const kernel = Math.max(this.kernel.bytesReserved, this.#kernelBytesWith(wanted));
    return kernel + this.#heapBytes() + heapBytes + heldBytes + flush;
  }

  /** Bytes in JavaScript, promised ones included. */
  #heapBytes(): number {
    return this.#charges.bytes + this.#promised.heapBytes + filterCacheBytes();
  }

  /** Bytes that a flush would need beside those that it needs already. */
  #flushBytes(more: number): number {
    const { growing, byKind } = this.#charges;
    return Math.max(0, FLUSH_COPIES * (growing + this.#promised.flushBytes + more) - byKind.flush);
  }

  /** Lets go of the vectors that were used longest ago; false if there are none. */
  #evictVectors(keep: Resident | undefined): boolean {
    for (const resident of this.#residents) {
      if (this.#stays(resident, keep) || resident.bytes === 0) continue;
      resident.evictVectors();
      return true;
    }
    return false;
  }

  /** Lets go of what filters keep, then of the columns that were used longest ago; false if there are none. */
  #evictHeap(keep: Resident | undefined): boolean {
    if (filterCacheBytes() > 0) {
      dropFilterCache();
      return true;
    }
    for (const resident of this.#residents) {
      if (this.#stays(resident, keep) || resident.columnBytes === 0) continue;
      resident.evictColumns();
      return true;
    }
    return false;
  }

  /** Replaces the kernel's memory by an empty one if nothing but loaded vectors lies in it; false if that gives nothing. */
  #emptyKernel(keep: Resident | undefined): boolean {
    if (this.kernel.bytesReserved <= KERNEL_KEPT_BYTES) return false;
    let loaded = 0;
    for (const resident of this.#residents) if (!this.#stays(resident, keep)) loaded += resident.bytes;
    if (loaded < this.kernel.bytes) return false;
    for (const resident of this.#residents) if (!this.#stays(resident, keep)) resident.evictVectors();
    this.#shrink();
    return true;
  }

  #stays(resident: Resident, keep: Resident | undefined): boolean {
    return resident === keep || this.#pinned.has(resident);
  }

  #notePeak(): void {
    const { bytes } = this;
    if (bytes > this.#bytesPeak) this.#bytesPeak = bytes;
  }

  #quota({ kernelBytes, heapBytes, heldBytes }: Wanted, advice: string): ElanusError {
    const bytes = kernelBytes + heapBytes + heldBytes;
    const { bytes: bytesUsed, bytesMax } = this;
    return new ElanusError(
      'quota',
      `About ${bytes} bytes of memory are needed, and ${bytesUsed} of ${bytesMax} are in use. ${advice}`,
      { milvusCode: 3, details: { bytes, bytesUsed, bytesMax, outcome: 'not-written' } },
    );
  }
}
