import { copyBytes } from '../core/base/bytes.ts';
import { ElanusError } from '../core/base/error.ts';
import type { IndexSection } from '../core/vector/segment-index.ts';

/** A set of row numbers as a bitmap: bit `i & 7` of byte `i >> 3` stands for row `i`. It grows with its largest row. */
export class RowSet {
  #bits: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #size = 0;

  /** Rows in it. */
  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bits.byteLength;
  }

  has(row: number): boolean {
    return ((this.#bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
  }

  /** False if the row was in it already. */
  add(row: number): boolean {
    if (this.has(row)) return false;
    this.#reach(row >> 3);
    this.#bits[row >> 3] = (this.#bits[row >> 3] as number) | (1 << (row & 7));
    this.#size += 1;
    return true;
  }

  /** A bitmap of the first `count` rows that `allow` has and this set has not; without `allow`, all of them. */
  without(allow: Uint8Array | undefined, count: number): Uint8Array<ArrayBuffer> {
    const bytes = Math.ceil(count / 8);
    const rest = new Uint8Array(bytes);
    if (allow === undefined) rest.fill(255);
    else rest.set(allow.subarray(0, bytes));
    const shared = Math.min(bytes, this.#bits.byteLength);
    for (let at = 0; at < shared; at++) rest[at] = (rest[at] as number) & ~(this.#bits[at] as number);
    return rest;
  }

  /** The bits of `count` rows as a part of a saved index. */
  section(name: string, count: number): IndexSection {
    const bits = this.#bits.slice(0, Math.ceil(count / 8));
    return { name, byteLength: Math.ceil(count / 8), copyTo: (target) => target.set(bits) };
  }

  /** Takes the bits of `count` rows. Throws `corrupt` if there are not so many, or bits beyond them. */
  load(bits: Uint8Array, count: number): void {
    const last = bits.byteLength === 0 ? 0 : (bits[bits.byteLength - 1] as number);
    const isExact = bits.byteLength === Math.ceil(count / 8) && (count % 8 === 0 || last >> (count % 8) === 0);
    if (!isExact) throw new ElanusError('corrupt', `A saved set of ${count} rows holds other rows.`);
    this.#bits = copyBytes(bits);
    this.#size = 0;
    for (const byte of bits) for (let rest = byte; rest !== 0; rest &= rest - 1) this.#size += 1;
  }

  #reach(byte: number): void {
    if (byte < this.#bits.byteLength) return;
    const larger = new Uint8Array(Math.max(byte + 1, 2 * this.#bits.byteLength));
    larger.set(this.#bits);
    this.#bits = larger;
  }
}
