import { assert } from '../core/base/assert.ts';
import { ElanusError } from '../core/base/error.ts';

/** What the module exports: see README.md. Addresses and sizes are unsigned, and arrive signed. */
export interface KernelExports {
  allocate(bytes: number): number;
  release(address: number): void;
  limit(pages: number): void;
  usedBytes(): number;
  inverseNorms(rows: number, count: number, dimension: number, target: number): void;
  normalize(vector: number, dimension: number): void;
  distances(
    elements: number,
    metric: number,
    dimension: number,
    query: number,
    list: number,
    count: number,
    target: number,
  ): void;
  encodeElements(elements: number, source: number, count: number, target: number): void;
  decodeElements(elements: number, source: number, count: number, target: number): void;
  heapBytes(capacity: number): number;
  clearHeap(heap: number, capacity: number): void;
  drainHeap(heap: number, rows: number, scores: number): number;
  scan(
    elements: number,
    metric: number,
    dimension: number,
    rows: number,
    inverses: number,
    first: number,
    count: number,
    bitmap: number,
    queries: number,
    queryCount: number,
    stride: number,
    heaps: number,
    heapStride: number,
  ): void;
}

const PAGE_BYTES = 65_536;
/** The last page stays out of reach, so that the end of the memory has an address of 32 bits. */
const PAGES_MAX = 65_535;

/** The linear memory of one instance: the allocator with its budget, and views that follow the memory as it grows. */
export class KernelMemory {
  readonly bytesMax: number;
  readonly #module: WebAssembly.Module;
  #exports: KernelExports;
  #memory: WebAssembly.Memory;
  #bytes: Uint8Array<ArrayBuffer>;
  #values: Float32Array<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;

  constructor(module: WebAssembly.Module, bytesMax: number) {
    const maximum = Math.min(Math.floor(bytesMax / PAGE_BYTES), PAGES_MAX);
    if (!(maximum >= 1)) {
      throw new ElanusError('invalid', `bytesMax is ${bytesMax}; the kernel needs at least ${PAGE_BYTES} bytes.`);
    }
    this.bytesMax = maximum * PAGE_BYTES;
    this.#module = module;
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum });
    this.#exports = instantiate(module, this.#memory);
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#values = new Float32Array(this.#memory.buffer);
    this.#words = new Uint32Array(this.#memory.buffer);
  }

  get exports(): KernelExports {
    return this.#exports;
  }

  /** Bytes of the blocks that are allocated now. */
  get bytesUsed(): number {
    return this.exports.usedBytes() >>> 0;
  }

  get bytesReserved(): number {
    return this.#memory.buffer.byteLength;
  }

  /** All of the memory. Taken anew for each use: an allocation may grow the memory, which detaches the view before. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.byteLength !== this.#memory.buffer.byteLength) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  /** The same as float32: value `i` is at address 4 i. */
  get values(): Float32Array<ArrayBuffer> {
    const { buffer } = this.#memory;
    if (this.#values.byteLength !== buffer.byteLength) this.#values = new Float32Array(buffer);
    return this.#values;
  }

  /** The same as unsigned words. */
  get allWords(): Uint32Array<ArrayBuffer> {
    const { buffer } = this.#memory;
    if (this.#words.byteLength !== buffer.byteLength) this.#words = new Uint32Array(buffer);
    return this.#words;
  }

  floats(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, address, length);
  }

  words(address: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#memory.buffer, address, length);
  }

  /** The address of `count` bytes, with any content, at a multiple of 16; `undefined` if the budget would be passed. */
  tryAllocate(count: number): number | undefined {
    // A larger number would arrive in WebAssembly without its upper bits.
    if (count > this.bytesMax) return undefined;
    const address = this.exports.allocate(count) >>> 0;
    return address === 0 ? undefined : address;
  }

  release(address: number): void {
    this.exports.release(address);
  }

  /** From now on the memory takes no more than `count` bytes from the host, in whole pages; what it has stays. */
  limit(count: number): void {
    this.exports.limit(Math.floor(Math.min(Math.max(count, 0), this.bytesMax) / PAGE_BYTES));
  }

  /** Gives the memory back to the host and begins with a new one. Nothing may be allocated, nor any view be kept. */
  reset(): void {
    assert(this.bytesUsed === 0, 'a memory that is in use is not given back');
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: this.bytesMax / PAGE_BYTES });
    this.#exports = instantiate(this.#module, this.#memory);
    // Views of the old memory would keep it, and are told from new ones by their length alone.
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#values = new Float32Array(this.#memory.buffer);
    this.#words = new Uint32Array(this.#memory.buffer);
  }

  /** The error for `count` bytes that the budget has no room for. `purpose` completes "no room for". */
  quota(count: number, purpose: string): ElanusError {
    const bytesUsed = this.bytesUsed;
    return new ElanusError(
      'quota',
      `The vector kernel has no room for ${purpose}: ${count} bytes are needed, ${bytesUsed} of ${this.bytesMax} are ` +
        'in use. Release a collection, or raise the budget.',
      { details: { bytes: count, bytesUsed, bytesMax: this.bytesMax } },
    );
  }
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
}
