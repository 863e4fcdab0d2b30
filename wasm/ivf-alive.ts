import type { IvfHeader } from './ivf-exports.ts';
import type { KernelMemory } from './memory.ts';

/** A bitmap has whole blocks of 16 bytes, so that two are joined 128 bits at a time. */
export function bitmapBytes(rows: number): number {
  return Math.ceil(rows / 128) * 16;
}

/** The rows that were not removed: a bitmap in the kernel's memory, as soon as the first one is. */
export class IvfAlive {
  readonly #memory: KernelMemory;
  readonly #header: IvfHeader;
  /** Rows that the bitmap has room for. */
  #capacity = 0;
  #removed = 0;

  constructor(memory: KernelMemory, header: IvfHeader) {
    this.#memory = memory;
    this.#header = header;
  }

  /** Rows that were removed. */
  get removed(): number {
    return this.#removed;
  }

  /** Makes room for `rows` rows in all, if there is a bitmap. Throws `quota`; nothing has changed then. */
  reserve(rows: number): void {
    if (this.#header.get('alive') !== 0 && rows > this.#capacity) this.#allocate(Math.max(rows, 2 * this.#capacity));
  }

  /** Removes rows that exist. Throws `quota` if there is no room for a first bitmap. */
  remove(rows: Uint32Array): void {
    if (rows.length === 0) return;
    if (this.#header.get('alive') === 0) this.#allocate(this.#header.get('size'));
    const bits = this.bits(this.#capacity);
    for (const row of rows) {
      const bit = 1 << (row & 7);
      const byte = bits[row >> 3] as number;
      if ((byte & bit) === 0) continue;
      bits[row >> 3] = byte & ~bit;
      this.#removed += 1;
    }
  }

  /** A view of the bits of the first `rows` rows. */
  bits(rows: number): Uint8Array<ArrayBuffer> {
    const address = this.#header.get('alive');
    return this.#memory.bytes.subarray(address, address + Math.ceil(rows / 8));
  }

  /** Takes saved bits of all rows. */
  load(bits: Uint8Array): void {
    const size = this.#header.get('size');
    this.#allocate(size);
    this.bits(size).set(bits);
    let alive = 0;
    for (let row = 0; row < size; row++) alive += ((bits[row >> 3] as number) >> (row & 7)) & 1;
    this.#removed = size - alive;
    // Rows that come later are alive.
    if (size % 8 !== 0) {
      const last = this.#header.get('alive') + (size >> 3);
      this.#memory.bytes[last] = (this.#memory.bytes[last] as number) | (255 << (size % 8));
    }
  }

  free(): void {
    if (this.#header.get('alive') !== 0) this.#memory.release(this.#header.get('alive'));
    this.#header.set('alive', 0);
  }

  #allocate(rows: number): void {
    const bytes = bitmapBytes(rows);
    const address = this.#memory.tryAllocate(bytes);
    if (address === undefined) throw this.#memory.quota(bytes, 'the bitmap of removed rows');
    this.#memory.bytes.fill(255, address, address + bytes);
    const before = this.#header.get('alive');
    if (before !== 0) {
      this.#memory.bytes.copyWithin(address, before, before + bitmapBytes(this.#capacity));
      this.#memory.release(before);
    }
    this.#header.set('alive', address);
    this.#capacity = bytes * 8;
  }
}
