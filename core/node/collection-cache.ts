import { codeOf } from '../base/error.ts';
import type { Clock } from '../time/clock.ts';
import type { CollectionEntry, CollectionName, CoordinatorPeer } from './protocol.ts';

/** How long a proxy believes what it knows of a collection; a channel with another schema answers `stale` before that. */
const AGE_MS_MAX = 5_000;
const ENTRIES_MAX = 1_024;

interface Known {
  readonly entry: CollectionEntry;
  readonly at: number;
}

/** What a proxy knows of the collections that it serves. */
export class CollectionCache {
  readonly #coordinator: CoordinatorPeer;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(coordinator: CoordinatorPeer, clock: Clock) {
    this.#coordinator = coordinator;
    this.#clock = clock;
  }

  /** Rejects with `not-found` if there is no such collection. */
  async find(name: CollectionName): Promise<CollectionEntry> {
    const key = keyOf(name);
    const known = this.#known.get(key);
    if (known !== undefined && Math.abs(this.#clock.now() - known.at) <= AGE_MS_MAX) return known.entry;
    return this.reload(name);
  }

  async reload(name: CollectionName): Promise<CollectionEntry> {
    this.forget(name);
    const entry = await this.#coordinator.describeCollection(name);
    if (this.#known.size >= ENTRIES_MAX) this.#known.clear();
    this.#known.set(keyOf(name), { entry, at: this.#clock.now() });
    return entry;
  }

  forget(name: CollectionName): void {
    this.#known.delete(keyOf(name));
  }

  /** Runs a call with what is known of a collection; if a channel knows better, reloads and runs it once more. */
  async use<Answer>(name: CollectionName, call: (entry: CollectionEntry) => Promise<Answer>): Promise<Answer> {
    try {
      return await call(await this.find(name));
    } catch (error) {
      if (codeOf(error) !== 'stale') throw error;
      return call(await this.reload(name));
    }
  }
}

function keyOf({ databaseName, collectionName }: CollectionName): string {
  return `${databaseName}/${collectionName}`;
}
