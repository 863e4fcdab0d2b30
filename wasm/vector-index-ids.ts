import { ElanusError } from '../core/base/error.ts';
import type { IndexSection, SavedIndex } from '../core/vector/segment-index.ts';

/** The type in which an index gives its ids. */
export type IdArray = Float64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;

/** Ids as they are handed in: safe integers, or 64 bits without a sign. */
export type GivenIds = readonly number[] | Float64Array | Uint32Array | Int32Array | BigUint64Array;

/** The section of a saved index. */
const SECTION = 'ids';

/**
 * Which row has which id. Without ids of their own, rows are their ids, and nothing is stored. Otherwise 8 bytes a row
 * (4 if all are below 2^32), and, from the first id on that is not larger than the one before, a hash table of row
 * numbers with 8 to 16 more: an id that comes again replaces its row.
 *
 * - Ids are safe integers or a BigUint64Array; the first ones decide for all.
 * - The row of an id is the newest that had it.
 */
export class RowIds {
  #size = 0;
  /** Undefined while rows are their ids. */
  #values: Uint32Array<ArrayBuffer> | IdArray | undefined;
  /** Undefined while each id is larger than the one before: then rows are found by halving. */
  #table: RowTable | undefined;

  /** Bytes of JavaScript memory. */
  get bytes(): number {
    return (this.#values?.byteLength ?? 0) + (this.#table?.bytes ?? 0);
  }

  /** Whether rows are their ids. */
  get isRows(): boolean {
    return this.#values === undefined;
  }

  /**
   * Throws `invalid` if these cannot be the ids of `count` new rows: if there are more or fewer, if one is no safe
   * integer, if they are of another type than those before. Nothing is taken yet.
   */
  check(given: GivenIds | undefined, count: number): void {
    if (given === undefined) {
      if (this.#values === undefined) return;
      throw invalid(`The vectors of this index have ids of their own: give those of these ${count} too.`);
    }
    if (!Array.isArray(given) && !ArrayBuffer.isView(given)) throw invalid('ids are numbers, or a BigUint64Array.');
    if (given.length !== count) throw invalid(`${given.length} ids were given for ${count} vectors; each has one.`);
    if (given instanceof BigUint64Array) {
      if (this.#size > 0 && !(this.#values instanceof BigUint64Array)) {
        throw invalid('The ids of this index are numbers, and these are a BigUint64Array: all are of one type.');
      }
      return;
    }
    if (this.#values instanceof BigUint64Array)
      throw invalid('The ids of this index are a BigUint64Array: so are these.');
    const at = (given as readonly number[]).findIndex((id) => !Number.isSafeInteger(id));
    if (at >= 0) throw invalid(`ids[${at}] is ${String(given[at])}; an id is a safe integer, or in a BigUint64Array.`);
  }

  /** Takes the ids of `count` new rows, and gives those rows, ascending, whose id has come again. */
  append(given: GivenIds | undefined, count: number): number[] {
    const first = this.#size;
    this.#size += count;
    if (given === undefined) return [];
    const values = this.#reserve(given, first);
    if (values instanceof BigUint64Array) values.set(given as BigUint64Array, first);
    // Adding zero makes 0 of -0.
    else for (let at = 0; at < count; at++) values[first + at] = (given[at] as number) + 0;
    return this.#index(values, first);
  }

  /** The newest row of an id; undefined if no row ever had it. */
  rowOf(id: number | bigint): number | undefined {
    const values = this.#values;
    if (values === undefined) return Number.isInteger(id) && id >= 0 && id < this.#size ? Number(id) : undefined;
    if (values instanceof BigUint64Array !== (typeof id === 'bigint')) return undefined;
    if (this.#table !== undefined) return this.#table.find(values, id);
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((values[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low < this.#size && values[low] === id ? low : undefined;
  }

  idOf(row: number): number | bigint {
    return this.#values === undefined ? row : (this.#values[row] as number | bigint);
  }

  /** The ids of rows, which exist. */
  idsOf(rows: Uint32Array): IdArray {
    const values = this.#values;
    const ids = this.zeros(rows.length);
    if (values === undefined) {
      // A loop: for the few hits of a search, what the constructor does takes longer.
      for (let at = 0; at < rows.length; at++) ids[at] = rows[at] as number;
      return ids;
    }
    for (let at = 0; at < rows.length; at++) ids[at] = values[rows[at] as number] as never;
    return ids;
  }

  /** Zeros of the type of these ids. */
  zeros(count: number): IdArray {
    return this.#values instanceof BigUint64Array ? new BigUint64Array(count) : new Float64Array(count);
  }

  /** Its part of a saved index; none if rows are their ids. */
  sections(): IndexSection[] {
    if (this.#values === undefined) return [];
    const values = this.#values.subarray(0, this.#size);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return [{ name: SECTION, byteLength: bytes.byteLength, copyTo: (target) => target.set(bytes) }];
  }

  /** What `state` must hold beside the sections. */
  get state(): SavedIndex['state'] {
    if (this.#values === undefined) return {};
    return { idBits: this.#values instanceof BigUint64Array ? 64 : this.#values instanceof Uint32Array ? 32 : 53 };
  }

  /** The ids of `size` rows from a saved index. Throws `corrupt` if they are not there. */
  static load(saved: SavedIndex, size: number): RowIds {
    const ids = new RowIds();
    const section = saved.sections.find(({ name }) => name === SECTION);
    const bits = saved.state['idBits'];
    if (section === undefined && bits === undefined) {
      ids.#size = size;
      return ids;
    }
    const values =
      bits === 64 ? new BigUint64Array(size) : bits === 32 ? new Uint32Array(size) : new Float64Array(size);
    if (section?.byteLength !== values.byteLength) throw corrupt(`${size} rows have other than ${size} ids`);
    section.copyTo(new Uint8Array(values.buffer));
    if (values instanceof Float64Array && !values.every(Number.isSafeInteger)) throw corrupt('an id is no integer');
    ids.#size = size;
    ids.#values = values;
    ids.#index(values, 0);
    return ids;
  }

  /** Room for the rows from `first` on, in a type that holds their ids. */
  #reserve(given: GivenIds, first: number): Uint32Array<ArrayBuffer> | IdArray {
    const before = this.#values;
    const isBigint = given instanceof BigUint64Array;
    const isWide = isBigint || before instanceof Float64Array || !(given as readonly number[]).every(isWord);
    const fits = before !== undefined && before.length >= this.#size && before instanceof Uint32Array !== isWide;
    if (fits) return before;
    const room = before === undefined ? this.#size : Math.max(this.#size, 2 * before.length);
    if (isBigint) {
      const values = new BigUint64Array(room);
      if (before !== undefined) values.set((before as BigUint64Array).subarray(0, first));
      this.#values = values;
      return values;
    }
    const values = isWide ? new Float64Array(room) : new Uint32Array(room);
    if (before !== undefined) values.set((before as Float64Array).subarray(0, first));
    else for (let row = 0; row < first; row++) values[row] = row;
    this.#values = values;
    return values;
  }

  /** Makes the rows from `first` on to be found, and gives the rows that are not found any more. */
  #index(values: Uint32Array<ArrayBuffer> | IdArray, first: number): number[] {
    if (this.#table === undefined && isAscending(values, Math.max(1, first), this.#size)) return [];
    const from = this.#table === undefined ? 0 : first;
    this.#table ??= new RowTable();
    return this.#table.add(values, from, this.#size);
  }
}

/** Row numbers by the hash of their ids: open addressing, linear probing, at most half of the slots taken. */
class RowTable {
  /** Row number plus one; 0 is an empty slot. */
  #slots: Uint32Array<ArrayBuffer> = new Uint32Array(8);

  get bytes(): number {
    return this.#slots.byteLength;
  }

  find(values: ArrayLike<number | bigint>, id: number | bigint): number | undefined {
    const entry = this.#slots[this.#slotOf(values, id)] as number;
    return entry === 0 ? undefined : entry - 1;
  }

  /** Adds the rows from `from` up to `to`, and gives the earlier rows with the same ids, ascending. */
  add(values: ArrayLike<number | bigint>, from: number, to: number): number[] {
    if (this.#slots.length < 2 * to) {
      const rows = this.#slots.filter((entry) => entry > 0);
      this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * to)));
      for (const entry of rows) this.#slots[this.#slotOf(values, values[entry - 1] as number)] = entry;
    }
    const replaced: number[] = [];
    for (let row = from; row < to; row++) {
      const slot = this.#slotOf(values, values[row] as number | bigint);
      const entry = this.#slots[slot] as number;
      if (entry > 0) replaced.push(entry - 1);
      this.#slots[slot] = row + 1;
    }
    return replaced.sort((a, b) => a - b);
  }

  /** Where the id is, or where it would go. */
  #slotOf(values: ArrayLike<number | bigint>, id: number | bigint): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashOf(id) & mask;
    for (;;) {
      const entry = slots[slot] as number;
      if (entry === 0 || values[entry - 1] === id) return slot;
      slot = (slot + 1) & mask;
    }
  }
}

/** Spreads both halves of an id over 32 bits: numbers in a row must not fill slots in a row for long. */
function hashOf(id: number | bigint): number {
  const low = typeof id === 'bigint' ? Number(id & 0xffff_ffffn) : id;
  const high = typeof id === 'bigint' ? Number(id >> 32n) : Math.floor(id / 0x1_0000_0000);
  let mixed = Math.imul(low | 0, 0x9e3779b1) ^ Math.imul(high | 0, 0x85ebca77);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

function isWord(id: number): boolean {
  return id >= 0 && id <= 0xffff_ffff;
}

/** Whether each value from `from` up to `to` is larger than the one before. */
function isAscending(values: ArrayLike<number | bigint>, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((values[at] as number) <= (values[at - 1] as number)) return false;
  return true;
}

function invalid(message: string): ElanusError {
  return new ElanusError('invalid', message, { details: { argument: 'ids' } });
}

function corrupt(what: string): ElanusError {
  return new ElanusError('corrupt', `The saved index is damaged: ${what}. Restore it from a copy.`, {
    details: { section: SECTION },
  });
}
