import { ElanusError } from '../../core/base/error.ts';
import type { Random } from '../../core/base/random.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';
import type { Clock } from '../../core/time/clock.ts';

/** A store call as a fault plan sees it. `number` counts from 1. */
export interface StoreCall {
  readonly number: number;
  readonly operation: 'create' | 'replace' | 'read' | 'list' | 'delete';
  readonly key: string;
}

/**
 * How a call goes wrong.
 *
 * | way | the request | the caller |
 * |---|---|---|
 * | `before` | has no effect | gets `unavailable` |
 * | `after` | takes effect | gets `unavailable` |
 * | `lost` | takes effect | gets `unavailable` after the timeout |
 * | `late` | takes effect some time *after* the timeout | gets `unavailable` at the timeout |
 * | `partial` | deletes half of the keys; other calls as `before` | gets `unavailable` |
 * | `overloaded` | has no effect | gets `overloaded` |
 * | `crash-before`, `crash-after` | has no effect, or takes effect | the process dies: no answer, ever |
 */
export type Fault = 'before' | 'after' | 'lost' | 'late' | 'partial' | 'overloaded' | 'crash-before' | 'crash-after';

export interface FlakyOptions {
  readonly clock: Clock;
  /** Needed for `rates`, and for how late a late request lands. */
  readonly random?: Random;
  /** The share of calls, 0 to 1, that go wrong in each way. */
  readonly rates?: { readonly [Way in Fault]?: number };
  /** When the caller of a lost or late request gives up; one second by default. */
  readonly timeoutMs?: number;
  /** A late request lands up to this long after the timeout; five seconds by default. */
  readonly lateMsMax?: number;
}

/**
 * A store whose calls go wrong: from a seed with rates, or exactly at the Nth call (`failAt`). It stands between one
 * process and the store that all share: after `crash` this process gets no answer any more, while others go on with the
 * store below.
 */
export class FlakyStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #options: FlakyOptions;
  readonly #plan = new Map<number, Fault>();
  #crashed: 'hang' | 'reject' | undefined;
  /** Calls made so far. */
  calls = 0;
  /** Faults that happened so far. */
  faults = 0;
  /** Hears of every call before it is made. */
  onCall: ((call: StoreCall) => void) | undefined;

  constructor(store: ObjectStore, options: FlakyOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Lets the call with this number (`calls` of the first is 1) go wrong. Several may be planned. */
  failAt(number: number, fault: Fault): void {
    this.#plan.set(number, fault);
  }

  /** From now on every call, those under way included, gets no answer (`hang`), or is refused (`reject`). */
  crash(how: 'hang' | 'reject' = 'hang'): void {
    this.#crashed = how;
  }

  get hasCrashed(): boolean {
    return this.#crashed !== undefined;
  }

  create(key: string, bytes: Uint8Array): Promise<Version> {
    return this.#call('create', key, () => this.#store.create(key, bytes));
  }

  replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    return this.#call('replace', key, () => this.#store.replace(key, bytes, expected));
  }

  read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    return this.#call('read', key, () => this.#store.read(key, range));
  }

  delete(keys: readonly string[]): Promise<void> {
    const half = (): Promise<void> => this.#store.delete(keys.slice(0, keys.length >> 1));
    return this.#call('delete', keys[0] ?? '', () => this.#store.delete(keys), half);
  }

  /** A list fails at its beginning (`before`, `overloaded`) or after half a page of objects. */
  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    const fault = this.#next('list', prefix);
    if (this.#crashed !== undefined) return this.#afterCrash();
    let remaining = Number.POSITIVE_INFINITY;
    if (fault === 'before' || fault === 'overloaded' || fault === 'crash-before') remaining = 0;
    else if (fault !== undefined) remaining = 1 + ((this.#options.random?.() ?? 1) % 3);
    for await (const info of this.#store.list(prefix, after)) {
      if (remaining-- <= 0) break;
      yield info;
      if (this.#crashed !== undefined) return this.#afterCrash();
    }
    if (fault === undefined) return;
    if (fault === 'lost' || fault === 'late') await this.#options.clock.sleep(this.#options.timeoutMs ?? 1000);
    await this.#fail(fault, prefix);
  }

  async #call<T>(
    operation: StoreCall['operation'],
    key: string,
    act: () => Promise<T>,
    actHalf?: () => Promise<unknown>,
  ): Promise<T> {
    const fault = this.#next(operation, key);
    if (this.#crashed !== undefined) return this.#afterCrash();
    if (fault === undefined) return this.#answer(await settled(act()));
    const { clock, timeoutMs = 1000, lateMsMax = 5000, random } = this.#options;
    if (fault === 'late') {
      const delayMs = timeoutMs + 1 + (random?.() ?? 0) * (lateMsMax / 2 ** 32);
      void clock.sleep(delayMs).then(() => settled(act()));
    }
    if (fault === 'after' || fault === 'lost' || fault === 'crash-after') await settled(act());
    if (fault === 'partial') await actHalf?.();
    if (fault === 'lost' || fault === 'late') await clock.sleep(timeoutMs);
    return this.#fail(fault, key);
  }

  #next(operation: StoreCall['operation'], key: string): Fault | undefined {
    const number = ++this.calls;
    if (this.#crashed !== undefined) return undefined;
    this.onCall?.({ number, operation, key });
    const fault = this.#plan.get(number) ?? this.#draw();
    if (fault !== undefined) this.faults++;
    return fault;
  }

  #draw(): Fault | undefined {
    const { rates, random } = this.#options;
    if (rates === undefined || random === undefined) return undefined;
    let point = random() / 2 ** 32;
    for (const [fault, rate] of Object.entries(rates)) {
      if (point < rate) return fault as Fault;
      point -= rate;
    }
    return undefined;
  }

  /** An answer that comes after the crash reaches nobody. */
  async #answer<T>(outcome: PromiseSettledResult<T>): Promise<T> {
    if (this.#crashed !== undefined) return this.#afterCrash();
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  async #fail(fault: Fault, key: string): Promise<never> {
    if (fault === 'crash-before' || fault === 'crash-after') this.crash();
    if (this.#crashed !== undefined) return this.#afterCrash();
    if (fault === 'overloaded') throw new ElanusError('overloaded', `Injected: too many requests for ${key}.`);
    throw new ElanusError('unavailable', `Injected: "${fault}" at call ${this.calls} for ${key}.`);
  }

  #afterCrash(): Promise<never> {
    if (this.#crashed === 'hang') return new Promise<never>(() => {});
    return Promise.reject(new ElanusError('unavailable', 'Injected: this process has crashed.'));
  }
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome;
}
