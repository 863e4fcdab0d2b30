import type { ElementType, VectorMetric } from '../../../core/vector/element.ts';
import { vectorBytes } from '../../../core/vector/element.ts';
import { KernelMemory } from '../../../wasm/memory.ts';
import { nodeModule, type WasmBuild } from '../../node/kernel.ts';

const ELEMENT_NUMBERS: Readonly<Record<ElementType, number>> = { f32: 0, f16: 1, bf16: 2, int8: 3, bit: 4 };
const METRIC_NUMBERS: Readonly<Record<VectorMetric, number>> = { L2: 0, IP: 1, COSINE: 2, HAMMING: 3, JACCARD: 4 };

/** Bytes around every vector that are no number, whatever they are taken for. */
const AROUND = 64;

/** The kernel's functions on vectors, called with plain arrays: each vector lies alone, at an odd address if asked. */
export class KernelVectors {
  readonly #memory: KernelMemory;

  private constructor(memory: KernelMemory) {
    this.#memory = memory;
  }

  static async create(build: WasmBuild): Promise<KernelVectors> {
    return new KernelVectors(new KernelMemory(await nodeModule(build), 64 * 1024 * 1024));
  }

  /** What `encodeElements` writes, and a proof that it writes nothing else. */
  encode(elements: ElementType, values: Float32Array, shift = 0): Uint8Array {
    const memory = this.#memory;
    const bytes = vectorBytes(elements, values.length);
    return this.#with([values.byteLength + 2 * AROUND, bytes + 2 * AROUND], ([source = 0, target = 0]) => {
      memory.bytes.set(bytesOf(values), source + AROUND + shift);
      memory.exports.encodeElements(
        ELEMENT_NUMBERS[elements],
        source + AROUND + shift,
        values.length,
        target + AROUND - shift,
      );
      const outside = [
        ...memory.bytes.subarray(target, target + AROUND - shift),
        ...memory.bytes.subarray(target + AROUND - shift + bytes, target + bytes + 2 * AROUND),
      ];
      if (outside.some((byte) => byte !== 0xff)) throw new Error('encodeElements wrote outside of its target.');
      return memory.bytes.slice(target + AROUND - shift, target + AROUND - shift + bytes);
    });
  }

  decode(elements: ElementType, bytes: Uint8Array, count: number, shift = 0): Float32Array {
    const memory = this.#memory;
    return this.#with([bytes.length + 2 * AROUND, count * 4 + 2 * AROUND], ([source = 0, target = 0]) => {
      memory.bytes.set(bytes, source + AROUND + shift);
      memory.exports.decodeElements(ELEMENT_NUMBERS[elements], source + AROUND + shift, count, target + AROUND);
      if (memory.bytes[target + AROUND + count * 4] !== 0xff) throw new Error('decodeElements wrote too much.');
      return memory.floats(target + AROUND, count).slice();
    });
  }

  normalize(vector: Float32Array): Float32Array {
    const memory = this.#memory;
    return this.#with([vector.byteLength], ([address = 0]) => {
      memory.floats(address, vector.length).set(vector);
      memory.exports.normalize(address, vector.length);
      return memory.floats(address, vector.length).slice();
    });
  }

  /** Scores of encoded vectors, at addresses with these shifts; `query` is float32, or encoded for int8 and bits. */
  distances(
    elements: ElementType,
    metric: VectorMetric,
    dimension: number,
    query: Float32Array | Uint8Array,
    vectors: readonly Uint8Array[],
    shifts: readonly number[] = [0],
  ): Float32Array {
    const memory = this.#memory;
    const count = vectors.length;
    const queryBytes = Math.ceil(query.byteLength / 16) * 16;
    const sizes = [queryBytes, count * 4, count * 4 + 16, ...vectors.map(({ length }) => length + 2 * AROUND)];
    return this.#with(sizes, ([at = 0, list = 0, target = 0, ...places]) => {
      memory.bytes.fill(0, at, at + queryBytes);
      memory.bytes.set(bytesOf(query), at);
      const addresses = places.map((place, index) => place + AROUND + (shifts[index % shifts.length] ?? 0));
      addresses.forEach((address, index) => {
        memory.bytes.set(vectors[index] ?? new Uint8Array(), address);
      });
      memory.words(list, count).set(addresses);
      memory.exports.distances(
        ELEMENT_NUMBERS[elements],
        METRIC_NUMBERS[metric],
        dimension,
        ...([at, list, count, target] as const),
      );
      if (memory.bytes[target + count * 4] !== 0xff) throw new Error('distances wrote too many.');
      return memory.floats(target, count).slice();
    });
  }

  /** Blocks of all ones for the time of a call. */
  #with<Result>(sizes: readonly number[], call: (addresses: readonly number[]) => Result): Result {
    const blocks = sizes.map((size) => {
      const block = this.#memory.tryAllocate(size);
      if (block === undefined) throw new Error('The test needs more memory.');
      return block;
    });
    try {
      blocks.forEach((block, index) => {
        this.#memory.bytes.fill(0xff, block, block + (sizes[index] ?? 0));
      });
      return call(blocks);
    } finally {
      for (const block of blocks) this.#memory.release(block);
    }
  }
}

function bytesOf(values: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
