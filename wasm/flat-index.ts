import { ElanusError } from '../core/base/error.ts';
import { TOP_K_MAX } from '../core/model/limits.ts';
import { vectorBytes } from '../core/vector/element.ts';
import type { TopK, VectorRows } from '../core/vector/kernel.ts';
import type {
  IndexCursor,
  IndexSearch,
  IndexSection,
  IndexSpec,
  SavedIndex,
  SegmentIndex,
} from '../core/vector/segment-index.ts';
import { WasmFlat } from './flat.ts';
import type { KernelMemory } from './memory.ts';
import { RowSet } from './row-set.ts';

/** Rows that are copied at once when an index is saved. */
const SAVE_ROWS = 1024;

/** FLAT as an index: every row is exact and found at once, and there is nothing to build. */
export class FlatIndex implements SegmentIndex {
  readonly spec: IndexSpec;
  readonly pending = 0;
  readonly isExact = true;
  readonly #flat: WasmFlat;
  readonly #removed: RowSet = new RowSet();

  constructor(memory: KernelMemory, spec: IndexSpec) {
    this.spec = spec;
    this.#flat = new WasmFlat(memory, spec.dimension, spec.metric, spec.elements);
  }

  /** What `save` gave. Throws `quota`, and then nothing is left in memory; `corrupt` if sections and counts disagree. */
  static load(memory: KernelMemory, saved: SavedIndex): FlatIndex {
    const index = new FlatIndex(memory, saved.spec);
    try {
      const { rows } = saved.state as { rows: number };
      const rowBytes = vectorBytes(saved.spec.elements, saved.spec.dimension);
      for (const section of saved.sections) {
        if (section.name === 'exact') {
          if (section.byteLength !== rows * rowBytes) throw corrupt(`${rows} rows take other than its bytes`);
          index.#flat.append(bytesOf(section));
        }
        if (section.name === 'removed') index.#removed.load(bytesOf(section), rows);
      }
      if (index.size !== rows) throw corrupt(`it says that it holds ${rows} rows, and holds ${index.size}`);
      return index;
    } catch (error) {
      index.free();
      throw error;
    }
  }

  get size(): number {
    return this.#flat.size;
  }

  get removed(): number {
    return this.#removed.size;
  }

  get bytes(): number {
    return this.#flat.bytes;
  }

  append(rows: VectorRows): void {
    this.#flat.append(rows);
  }

  build(_rows: number): number {
    return 0;
  }

  remove(rows: Uint32Array): void {
    for (const row of rows) this.#removed.add(row);
  }

  search(queries: Float32Array, search: IndexSearch): TopK {
    const allow = this.#allow(search.allow);
    return this.#flat.search(queries, search.limit, allow === undefined ? {} : { allow });
  }

  /** The rows themselves: every distance is exact. */
  candidates(queries: Float32Array, search: IndexSearch): TopK {
    return this.search(queries, { ...search, limit: Math.max(search.limit, search.refineK ?? search.limit) });
  }

  cursor(query: Float32Array, search: IndexSearch): IndexCursor {
    return new FlatCursor(this.#flat, query, this.#removed.without(search.allow, this.size));
  }

  save(): SavedIndex {
    const rowBytes = vectorBytes(this.spec.elements, this.spec.dimension);
    const sections: IndexSection[] = [
      { name: 'exact', byteLength: this.size * rowBytes, copyTo: (target) => this.#copyRows(target, rowBytes) },
    ];
    if (this.#removed.size > 0) sections.push(this.#removed.section('removed', this.size));
    return { spec: this.spec, state: { rows: this.size }, sections };
  }

  free(): void {
    this.#flat.free();
  }

  #copyRows(target: Uint8Array, rowBytes: number): void {
    for (let start = 0; start < this.size; start += SAVE_ROWS) {
      target.set(this.#flat.readBytes(start, Math.min(this.size, start + SAVE_ROWS)), start * rowBytes);
    }
  }

  #allow(allow: Uint8Array | undefined): Uint8Array | undefined {
    return this.#removed.size === 0 ? allow : this.#removed.without(allow, this.size);
  }
}

function corrupt(what: string): ElanusError {
  return new ElanusError('corrupt', `The saved index is damaged: ${what}. Build it again.`);
}

function bytesOf(section: IndexSection): Uint8Array {
  if (section.bytes !== undefined) return section.bytes;
  const bytes = new Uint8Array(section.byteLength);
  section.copyTo(bytes);
  return bytes;
}

/** Scans again for each batch, without the rows that came before: exact, and without a bound on how far it goes. */
class FlatCursor implements IndexCursor {
  readonly #flat: WasmFlat;
  readonly #query: Float32Array;
  /** Rows that may still come. */
  readonly #allow: Uint8Array;
  readonly #count: number;

  constructor(flat: WasmFlat, query: Float32Array, allow: Uint8Array) {
    this.#flat = flat;
    this.#query = query.slice();
    this.#allow = allow;
    this.#count = flat.size;
  }

  next(count: number): TopK {
    const limit = Math.min(count, TOP_K_MAX);
    const found = this.#flat.search(this.#query, limit, { allow: this.#allow, count: this.#count });
    for (let at = 0; at < (found.counts[0] as number); at++) {
      const row = found.rows[at] as number;
      this.#allow[row >> 3] = (this.#allow[row >> 3] as number) & ~(1 << (row & 7));
    }
    return found;
  }

  free(): void {
    // It holds no memory of the kernel.
  }
}
