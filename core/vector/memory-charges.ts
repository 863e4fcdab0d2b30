import type { MemoryKind } from '../model/inspection.ts';

/** What lies in JavaScript and is told by those who hold it. */
export type ChargedKind = Exclude<MemoryKind, 'vectors' | 'spare' | 'caches'>;

/** Bytes of one holder. It says how much it holds, not by how much that changed, so that no sum can drift. */
export interface Charge {
  /** What the holder holds from now on: in JavaScript, and in the kernel as far as only a flush can free it. */
  set(heapBytes: number, kernelBytes?: number): void;
}

/** The sums of what all holders say. */
export class MemoryCharges {
  readonly #changed: () => void;
  readonly #byKind: Record<ChargedKind, number> = {
    growing: 0,
    columns: 0,
    deletes: 0,
    log: 0,
    flush: 0,
    load: 0,
  };
  #bytes = 0;
  #growingInKernel = 0;

  /** @param changed called after each change */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Bytes in JavaScript, of all kinds. */
  get bytes(): number {
    return this.#bytes;
  }

  get byKind(): Readonly<Record<ChargedKind, number>> {
    return this.#byKind;
  }

  /** What only a flush can free, in JavaScript and in the kernel. */
  get growing(): number {
    return this.#byKind.growing + this.#growingInKernel;
  }

  /** A new holder, which holds nothing yet. */
  charge(kind: ChargedKind): Charge {
    let heap = 0;
    let kernel = 0;
    return {
      set: (heapBytes, kernelBytes = 0) => {
        this.#byKind[kind] += heapBytes - heap;
        this.#bytes += heapBytes - heap;
        this.#growingInKernel += kernelBytes - kernel;
        heap = heapBytes;
        kernel = kernelBytes;
        this.#changed();
      },
    };
  }
}
