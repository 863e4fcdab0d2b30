import { ElanusError } from '../../core/base/error.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';

export type Operation = 'create' | 'replace' | 'read' | 'delete';

/** A request that waits on its way, so that a schedule decides when it lands and what its caller hears. */
export interface Gate {
  /** Resolves when the request has come to the gate. */
  readonly reached: Promise<void>;
  /** The request takes effect now; its answer waits. */
  land(): Promise<void>;
  /** The request takes effect, if it has not, and its answer goes to the caller. */
  open(): Promise<void>;
  /** The caller hears `unavailable`; the request may still land. */
  giveUp(): Promise<void>;
}

interface Waiting {
  readonly operation: Operation;
  readonly keyPart: string;
  readonly arrive: (run: () => Promise<unknown>) => Promise<unknown>;
}

/** One process's way to a store that all share. Requests pass at once, except those that a schedule holds. */
export class GatedStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #gates: Waiting[] = [];

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Holds the next request of this kind whose key ends with `keyPart`. */
  hold(operation: Operation, keyPart: string): Gate {
    const reached = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<unknown>();
    answer.promise.catch(() => undefined);
    let run: () => Promise<unknown> = () => Promise.reject(new TypeError('No request has come to this gate.'));
    let landed: Promise<unknown> | undefined;
    const land = async (): Promise<void> => {
      await reached.promise;
      landed ??= run();
      await landed.catch(() => undefined);
    };
    this.#gates.push({
      operation,
      keyPart,
      arrive: (request) => {
        run = request;
        reached.resolve();
        return answer.promise;
      },
    });
    return {
      reached: reached.promise,
      land,
      open: async () => {
        await land();
        answer.resolve(landed);
        await settle();
      },
      giveUp: async () => {
        await reached.promise;
        answer.reject(new ElanusError('unavailable', 'The schedule gives this request no answer.'));
        await settle();
      },
    };
  }

  create(key: string, bytes: Uint8Array): Promise<Version> {
    return this.#pass('create', key, () => this.#store.create(key, bytes));
  }

  replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    return this.#pass('replace', key, () => this.#store.replace(key, bytes, expected));
  }

  read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    return this.#pass('read', key, () => this.#store.read(key, range));
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#pass('delete', keys[0] ?? '', () => this.#store.delete(keys));
  }

  list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    return this.#store.list(prefix, after);
  }

  #pass<Answer>(operation: Operation, key: string, run: () => Promise<Answer>): Promise<Answer> {
    const at = this.#gates.findIndex((gate) => gate.operation === operation && key.endsWith(gate.keyPart));
    if (at < 0) return run();
    const [gate] = this.#gates.splice(at, 1);
    return gate?.arrive(run) as Promise<Answer>;
  }
}

/** Lets everything happen that does not wait for a gate. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 400; turn++) await undefined;
}
