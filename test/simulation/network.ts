import { ElanusError } from '../../core/base/error.ts';
import type { Random } from '../../core/base/random.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';
import { between, chance, type Scheduler } from './scheduler.ts';

/** Shares of requests, in percent. */
export interface Weather {
  readonly requestLost: number;
  readonly answerLost: number;
  readonly late: number;
}

const TIMEOUT_MS = 60;

/**
 * One process's way to the store that all share: requests and answers take time and get lost, requests land after their
 * caller has given up, the process stalls, and after a crash it hears nothing more while what it sent still lands.
 */
export class Network implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #weather: Weather;
  #stalledUntil = 0;
  isCrashed = false;

  constructor(store: ObjectStore, scheduler: Scheduler, random: Random, weather: Weather) {
    this.#store = store;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#weather = weather;
  }

  stall(ms: number): void {
    this.#stalledUntil = this.#scheduler.now() + ms;
  }

  create(key: string, bytes: Uint8Array): Promise<Version> {
    const copy = bytes.slice();
    return this.#call(() => this.#store.create(key, copy));
  }

  replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    const copy = bytes.slice();
    return this.#call(() => this.#store.replace(key, copy, expected));
  }

  read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    return this.#call(() => this.#store.read(key, range));
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#call(() => this.#store.delete(keys));
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    const all: ObjectInfo[] = [];
    for await (const info of this.#store.list(prefix, after)) all.push(info);
    await this.#call(() => Promise.resolve());
    yield* all;
  }

  #call<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    const { requestLost, answerLost, late } = this.#weather;
    const draw = this.#random() % 100;
    const there = between(this.#random, 1, 12);
    const back = between(this.#random, 1, 12);
    return new Promise((resolve, reject) => {
      const sent = Math.max(this.#scheduler.now(), this.#stalledUntil);
      const answer = (then: () => void): void => {
        const arrives = Math.max(this.#scheduler.now() + back, this.#stalledUntil);
        this.#scheduler.at(arrives, () => {
          if (!this.isCrashed) then();
        });
      };
      const giveUp = (): void =>
        this.#scheduler.at(Math.max(sent + TIMEOUT_MS, this.#stalledUntil), () => {
          if (!this.isCrashed) reject(new ElanusError('unavailable', 'The simulated network gave no answer.'));
        });
      if (draw < requestLost) {
        giveUp();
        return;
      }
      const isLate = draw < requestLost + late;
      const isLost = isLate || draw < requestLost + late + answerLost;
      const lands = isLate ? sent + TIMEOUT_MS + between(this.#random, 1, 200) : sent + there;
      this.#scheduler.at(lands, () => {
        act().then(
          (value) => {
            if (!isLost) answer(() => resolve(value));
          },
          (error: unknown) => {
            if (!isLost) answer(() => reject(error));
          },
        );
      });
      if (isLost) giveUp();
    });
  }
}

/** Weather drawn for one run: clear in one of four. */
export function drawWeather(random: Random): Weather {
  if (chance(random, 25)) return { requestLost: 0, answerLost: 0, late: 0 };
  return { requestLost: between(random, 0, 12), answerLost: between(random, 0, 16), late: between(random, 0, 16) };
}
