import type { Random } from '../../core/base/random.ts';
import { type Model, Violation } from './model.ts';
import { callOf, groupKeys, type Operation, ownKey } from './operation.ts';
import type { Tab } from './tab.ts';

/** Own keys of one writer, above which it deletes more than it writes. */
const KEYS_MAX = 400;
/** Batches under automatic keys of one writer that stay. */
const BATCHES_MAX = 20;
const GROUPS = 3;

export type WriteEvent = 'sent' | 'acknowledged';

/** What all writers of a run share. */
export interface Workload {
  readonly model: Model;
  readonly random: Random;
  /** The next batch number. */
  nextBatch(): number;
  /** Told as a request is sent, and as it is acknowledged, before the writer goes on. */
  onEvent(event: WriteEvent, operation: Operation): void;
}

/** One stream of requests, one after another. Its keys are its own over all the rounds of a run. */
export class Writer {
  readonly #number: number;
  readonly #workload: Workload;
  #nextIndex = 0;
  readonly #batches: number[] = [];

  constructor(number: number, workload: Workload) {
    this.#number = number;
    this.#workload = workload;
  }

  /** Writes and reads in a tab until `isOver`; an error is the tab's end, if `mayFail` says so by then. */
  async run(tab: Tab, isOver: () => boolean, mayFail: () => boolean = isOver): Promise<void> {
    try {
      while (!isOver()) {
        await this.#write(tab);
        if (this.#workload.random() % 4 === 0) await this.#read(tab);
      }
    } catch (error) {
      if (error instanceof Violation || !mayFail()) throw error;
    }
  }

  async #write(tab: Tab): Promise<void> {
    const { model, onEvent } = this.#workload;
    const operation = this.#choose();
    const attempt = model.begin(operation);
    onEvent('sent', operation);
    await tab.call(callOf(operation));
    model.acknowledge(attempt);
    onEvent('acknowledged', operation);
  }

  /** While others write, a group that is always written whole is read whole, and never as it once was. */
  async #read(tab: Tab): Promise<void> {
    const { model, random } = this.#workload;
    const group = random() % GROUPS;
    const began = model.tick();
    model.read(group, await tab.batches(groupKeys(group)), began);
  }

  #choose(): Operation {
    const { random, nextBatch } = this.#workload;
    const draw = random() % 100;
    if (draw < 40) return this.#writeKeys();
    if (draw < 55) return { kind: 'share', group: random() % GROUPS, batch: nextBatch() };
    if (draw < 80) return this.#append();
    if (draw < 97) return this.#delete();
    return { kind: 'flush', collectionName: random() % 2 === 0 ? 'keyed' : 'automatic' };
  }

  #writeKeys(): Operation {
    const { random, nextBatch } = this.#workload;
    const mine = this.#mine();
    const method = random() % 2 === 0 ? 'insert' : 'upsert';
    const rows = 1 + (random() % 12);
    const keys = new Set<number>();
    while (keys.size < rows) {
      const old = mine[random() % Math.max(1, mine.length)];
      const isNew = old === undefined || (mine.length < KEYS_MAX && random() % 2 === 0);
      keys.add(isNew ? ownKey(this.#number, this.#nextIndex++) : old);
    }
    return { kind: 'write', method, batch: nextBatch(), keys: [...keys] };
  }

  #append(): Operation {
    const { random, nextBatch } = this.#workload;
    const oldest = this.#batches[0];
    if (oldest !== undefined && this.#batches.length >= BATCHES_MAX) {
      this.#batches.shift();
      return { kind: 'drop', batch: oldest };
    }
    const batch = nextBatch();
    this.#batches.push(batch);
    return { kind: 'append', batch, rows: 1 + (random() % 12) };
  }

  #delete(): Operation {
    const { random } = this.#workload;
    const mine = this.#mine();
    const from = random() % Math.max(1, mine.length);
    const keys = mine.slice(from, from + 1 + (random() % 15));
    return keys.length === 0 ? this.#writeKeys() : { kind: 'delete', keys };
  }

  #mine(): number[] {
    return this.#workload.model.keysBetween(ownKey(this.#number, 0), ownKey(this.#number, this.#nextIndex));
  }
}
