import type { Column, Key } from '../model/column.ts';

/**
 * Finds the row of a key: a hash table of row numbers beside the column that holds the keys, with open addressing and
 * linear probing. It takes 8 to 16 bytes a row, where a `Map` takes about a hundred: an isolate has 128 MB for all.
 */
export class KeyIndex {
  /** Row number plus one; 0 is an empty slot. At most half of the slots are taken. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #probe: KeyProbe;

  /** Indexes the rows of a key column, of which the last one of a key counts. The column must not change any more. */
  constructor(column: Column) {
    const slots = 2 ** Math.max(3, Math.ceil(Math.log2(Math.max(1, column.length) * 2)));
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
    this.#probe = column.type === 'Int64' ? new Int64Probe(column.values) : new TextProbe(column.values as string[]);
    for (let row = 0; row < column.length; row++) {
      this.#probe.takeRow(row);
      this.#slots[this.#slot()] = row + 1;
    }
  }

  /** Bytes of memory, beside the column. */
  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** The row of a key; undefined if there is none, or the key is of another type. */
  find(key: Key): number | undefined {
    if (!this.#probe.takeKey(key)) return undefined;
    const entry = this.#slots[this.#slot()] ?? 0;
    return entry === 0 ? undefined : entry - 1;
  }

  /** How many slots finding a key that is there looks at, on average: about 1.5, unless the hash is bad for these keys. */
  meanProbes(): number {
    let keys = 0;
    let probes = 0;
    for (const [slot, entry] of this.#slots.entries()) {
      if (entry === 0) continue;
      this.#probe.takeRow(entry - 1);
      keys += 1;
      probes += ((slot - this.#probe.hash()) & this.#mask) + 1;
    }
    return keys === 0 ? 0 : probes / keys;
  }

  /** The slot of the key that the probe holds: where it is, or where it would go. */
  #slot(): number {
    let slot = this.#probe.hash() & this.#mask;
    for (;;) {
      const entry = this.#slots[slot] ?? 0;
      if (entry === 0 || this.#probe.isAt(entry - 1)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}

/** One key, taken from outside or from a row, that is looked for. */
interface KeyProbe {
  /** False if a key of this type can be in no row. */
  takeKey(key: Key): boolean;
  takeRow(row: number): void;
  hash(): number;
  isAt(row: number): boolean;
}

/** Compares and hashes the two halves of a number: no bigint is made for a row. */
class Int64Probe implements KeyProbe {
  readonly #words: Int32Array;
  readonly #key: BigInt64Array = new BigInt64Array(1);
  readonly #keyWords: Int32Array = new Int32Array(this.#key.buffer);

  constructor(values: BigInt64Array) {
    this.#words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  }

  takeKey(key: Key): boolean {
    if (typeof key !== 'bigint' || BigInt.asIntN(64, key) !== key) return false;
    this.#key[0] = key;
    return true;
  }

  takeRow(row: number): void {
    this.#keyWords[0] = this.#words[2 * row] ?? 0;
    this.#keyWords[1] = this.#words[2 * row + 1] ?? 0;
  }

  hash(): number {
    return mix((this.#keyWords[0] ?? 0) ^ mix(this.#keyWords[1] ?? 0));
  }

  isAt(row: number): boolean {
    return this.#words[2 * row] === this.#keyWords[0] && this.#words[2 * row + 1] === this.#keyWords[1];
  }
}

class TextProbe implements KeyProbe {
  readonly #values: readonly string[];
  #key = '';

  constructor(values: readonly string[]) {
    this.#values = values;
  }

  takeKey(key: Key): boolean {
    if (typeof key !== 'string') return false;
    this.#key = key;
    return true;
  }

  takeRow(row: number): void {
    this.#key = this.#values[row] ?? '';
  }

  /** FNV-1a over UTF-16 units (Fowler, Noll and Vo), then mixed: the table takes the lowest bits. */
  hash(): number {
    let hash = 0x811c9dc5;
    for (let at = 0; at < this.#key.length; at++) hash = Math.imul(hash ^ this.#key.charCodeAt(at), 0x01000193);
    return mix(hash);
  }

  isAt(row: number): boolean {
    return this.#values[row] === this.#key;
  }
}

/** The finalizer of MurmurHash3 (Appleby): every bit of the word moves every bit of the result. */
function mix(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
