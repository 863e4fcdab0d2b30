import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';

export type GateOperation = 'create' | 'replace' | 'read' | 'list' | 'delete';

/** A call that is held before it takes effect. */
export interface Gate {
  /** Resolves when a call has come to the gate. */
  readonly reached: Promise<void>;
  /** Lets the call, and all later ones, pass. */
  open(): void;
}

interface Held {
  readonly matches: (operation: GateOperation, key: string) => boolean;
  readonly arrive: () => void;
  readonly passed: Promise<void>;
  isOpen: boolean;
}

/** One process's way to a shared store, in which a written schedule holds single calls: an interleaving made exact. */
export class GateStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #held: Held[] = [];

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Holds the calls of an operation whose key holds this text, from the first one on, until the gate is opened. */
  hold(operation: GateOperation, part: string): Gate {
    const reached = Promise.withResolvers<void>();
    const passed = Promise.withResolvers<void>();
    const held: Held = {
      matches: (other, key) => other === operation && key.includes(part),
      arrive: reached.resolve,
      passed: passed.promise,
      isOpen: false,
    };
    this.#held.push(held);
    return {
      reached: reached.promise,
      open: () => {
        held.isOpen = true;
        passed.resolve();
      },
    };
  }

  async create(key: string, bytes: Uint8Array): Promise<Version> {
    await this.#pass('create', key);
    return this.#store.create(key, bytes);
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    await this.#pass('replace', key);
    return this.#store.replace(key, bytes, expected);
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    await this.#pass('read', key);
    return this.#store.read(key, range);
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    await this.#pass('list', prefix);
    yield* this.#store.list(prefix, after);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#pass('delete', keys[0] ?? '');
    return this.#store.delete(keys);
  }

  async #pass(operation: GateOperation, key: string): Promise<void> {
    for (const held of this.#held) {
      if (held.isOpen || !held.matches(operation, key)) continue;
      held.arrive();
      await held.passed;
    }
  }
}
