import type { Random } from '../../core/base/random.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';
import type { Clock } from '../../core/time/clock.ts';

export interface LatencyOptions {
  readonly clock: Clock;
  /** With it every way takes between half and one and a half times its time, so that requests overtake each other. */
  readonly random?: Random;
  /** How long a read or a page of a list takes, there and back; 20 ms by default. */
  readonly readMs?: number;
  /** How long a write or a delete takes, there and back; 150 ms by default. */
  readonly writeMs?: number;
  /** What the bytes add; 100,000 (100 MB/s) by default. */
  readonly bytesPerMs?: number;
}

/** A store that lies far away: half of the time passes before a call takes effect, half before its answer comes. */
export class LatencyStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #options: LatencyOptions;

  constructor(store: ObjectStore, options: LatencyOptions) {
    this.#store = store;
    this.#options = options;
  }

  create(key: string, bytes: Uint8Array): Promise<Version> {
    return this.#write(() => this.#store.create(key, bytes), bytes.byteLength);
  }

  replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    return this.#write(() => this.#store.replace(key, bytes, expected), bytes.byteLength);
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    const ms = this.#options.readMs ?? 20;
    await this.#travel(ms, 0);
    const [outcome] = await Promise.allSettled([this.#store.read(key, range)]);
    await this.#travel(ms, outcome.status === 'fulfilled' ? (outcome.value?.bytes.byteLength ?? 0) : 0);
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    let count = 0;
    await this.#travel(this.#options.readMs ?? 20, 0);
    for await (const info of this.#store.list(prefix, after)) {
      if (count++ % 1000 === 0) await this.#travel(this.#options.readMs ?? 20, 0);
      yield info;
    }
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#write(() => this.#store.delete(keys), 0);
  }

  async #write<T>(write: () => Promise<T>, bytes: number): Promise<T> {
    const ms = this.#options.writeMs ?? 150;
    await this.#travel(ms, bytes);
    const [outcome] = await Promise.allSettled([write()]);
    await this.#travel(ms, 0);
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  /** One way of a round trip of `ms`. */
  #travel(ms: number, bytes: number): Promise<void> {
    const { clock, random, bytesPerMs = 100_000 } = this.#options;
    const spread = random === undefined ? 1 : 0.5 + random() / 2 ** 32;
    return clock.sleep((ms / 2) * spread + bytes / bytesPerMs);
  }
}
