import { ElanusError } from '../../core/base/error.ts';
import { checkWrite } from '../../core/storage/check.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';
import type { Clock } from '../../core/time/clock.ts';

export interface LimitedOptions {
  readonly clock: Clock;
  /** Writes of one key must lie this far apart, else they are `overloaded`; one second by default. */
  readonly writeIntervalMs?: number;
  /** So many requests are under way at once; further ones queue. Six by default, a Worker's connections. */
  readonly requestsMax?: number;
}

/**
 * R2's limits, which local workerd does not enforce: one write a second to one key, six requests at once. (32 MiB an
 * object is every store's own limit.) A refusal for rate is a certain no.
 */
export class LimitedStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #options: LimitedOptions;
  readonly #lastWrites = new Map<string, number>();
  readonly #queue: (() => void)[] = [];
  #running = 0;
  /** The most requests that ever waited for a connection. */
  waitingMax = 0;
  /** Refusals for rate so far. */
  refusals = 0;

  constructor(store: ObjectStore, options: LimitedOptions) {
    this.#store = store;
    this.#options = options;
  }

  async create(key: string, bytes: Uint8Array): Promise<Version> {
    checkWrite(key, bytes);
    return this.#connected(() => this.#write(key, () => this.#store.create(key, bytes)));
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    checkWrite(key, bytes);
    return this.#connected(() => this.#write(key, () => this.#store.replace(key, bytes, expected)));
  }

  read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    return this.#connected(() => this.#store.read(key, range));
  }

  /** A list holds no connection while its consumer is busy with a page. */
  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    const pages = this.#store.list(prefix, after)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#connected(() => pages.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#connected(() => this.#store.delete(keys));
  }

  async #write<T>(key: string, write: () => Promise<T>): Promise<T> {
    const { clock, writeIntervalMs = 1000 } = this.#options;
    const last = this.#lastWrites.get(key);
    if (last !== undefined && clock.now() - last < writeIntervalMs) {
      this.refusals++;
      const message = `The object ${key} was written less than ${writeIntervalMs} ms ago.`;
      throw new ElanusError('overloaded', message, { details: { key } });
    }
    this.#lastWrites.set(key, clock.now());
    return write();
  }

  async #connected<T>(request: () => Promise<T>): Promise<T> {
    if (this.#running >= (this.#options.requestsMax ?? 6)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#queue.push(resolve);
      this.waitingMax = Math.max(this.waitingMax, this.#queue.length);
      await promise;
    } else this.#running++;
    try {
      return await request();
    } finally {
      // The connection passes to the next in line, if there is one.
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
