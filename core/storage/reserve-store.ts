import { codeOf, ElanusError } from '../base/error.ts';
import { seededRandom } from '../base/random.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from './object-store.ts';

/** What a write is for, by which it may take the reserve or not. */
export type Purpose = 'rows' | 'bookkeeping';

export interface ReserveOptions {
  /** Says of every write whether it adds rows, or is what giving up rows needs: catalog, manifests, roots, fences. */
  readonly purposeOf: (key: string, bytes: Uint8Array) => Purpose;
  /** Bytes kept aside; enough for some writes of the largest bookkeeping object. 512 KiB by default. */
  readonly bytes?: number;
}

const KEY = 'reserve';
const BYTES = 512 * 1024;

/**
 * A store that, when it is full, still has room for what makes room: an object of no meaning is kept aside, and given up
 * for a bookkeeping write that the full store has refused, such as that of a catalog without a collection.
 *
 * - Rows are written only while the reserve is there; one that was given up is put back before the next rows are.
 * - So a store that has refused rows with `quota` goes on refusing them until something is freed, and no number of
 *   rows, however small, takes what dropping a collection needs.
 * - Listings do not show the reserve; nobody else may use its key.
 */
export class ReserveStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #purposeOf: ReserveOptions['purposeOf'];
  readonly #bytes: number;
  /** Settled when the reserve is known to be there; undefined if it may not be. */
  #reserve: Promise<void> | undefined;

  constructor(store: ObjectStore, options: ReserveOptions) {
    this.#store = store;
    this.#purposeOf = options.purposeOf;
    this.#bytes = options.bytes ?? BYTES;
  }

  create(key: string, bytes: Uint8Array): Promise<Version> {
    return this.#write(key, bytes, () => this.#store.create(key, bytes));
  }

  replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    return this.#write(key, bytes, () => this.#store.replace(key, bytes, expected));
  }

  read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    return this.#store.read(key, range);
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    for await (const info of this.#store.list(prefix, after)) if (info.key !== KEY) yield info;
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#store.delete(keys);
  }

  async #write(key: string, bytes: Uint8Array, write: () => Promise<Version>): Promise<Version> {
    if (this.#purposeOf(key, bytes) === 'rows') {
      await this.#keepReserve();
      return write();
    }
    try {
      return await write();
    } catch (error) {
      if (codeOf(error) !== 'quota') throw error;
    }
    this.#reserve = undefined;
    await this.#store.delete([KEY]);
    return write();
  }

  /** Makes sure that the reserve is there, or rejects with `quota`. */
  #keepReserve(): Promise<void> {
    if (this.#reserve !== undefined) return this.#reserve;
    const reserve = this.#putReserve();
    this.#reserve = reserve;
    reserve.catch(() => {
      if (this.#reserve === reserve) this.#reserve = undefined;
    });
    return reserve;
  }

  async #putReserve(): Promise<void> {
    try {
      await this.#store.create(KEY, incompressible(this.#bytes));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'conflict') return;
      if (code !== 'quota') throw error;
      const message = 'The store is full; what is left of it is kept for deleting. Drop a collection, or free space.';
      throw new ElanusError('quota', message, { cause: error });
    }
  }
}

/** Browsers compress what they store, and a reserve of zeros would be none. */
function incompressible(size: number): Uint8Array {
  const random = seededRandom(size);
  return new Uint8Array(Uint32Array.from({ length: Math.ceil(size / 4) }, random).buffer, 0, size);
}
