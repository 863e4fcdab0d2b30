import { codeOf, ElanusError } from '../base/error.ts';
import { Mutex } from '../base/mutex.ts';
import { nonce, type Random } from '../base/random.ts';
import type { Clock } from '../time/clock.ts';
import { createCertainly, replaceCertainly } from './certain.ts';
import { decodeDocument, encodeDocument } from './document.ts';
import type { ObjectStore, Version } from './object-store.ts';

const KIND = 'CNTR';
const FORMAT = 1;
const ATTEMPTS_MAX = 16;

interface CounterDocument {
  /** Everything below has been handed out, or was given up in a restart. */
  readonly reservedTo: string;
  readonly nonce: string;
}

/**
 * A durable counter that hands out consecutive numbers, none of them twice: not over a restart, and not by two
 * instances that do not know of each other.
 *
 * Each write of the object reserves a window ahead, and only the instance whose compare-and-swap reserved a window
 * hands out its numbers. A restart skips what was left of the window.
 */
export class Counter {
  readonly #objects: ObjectStore;
  readonly #key: string;
  readonly #host: { readonly clock: Clock; readonly random: Random };
  readonly #mutex = new Mutex();
  #next = 0n;
  #windowEnd = 0n;

  constructor(objects: ObjectStore, key: string, host: { readonly clock: Clock; readonly random: Random }) {
    this.#objects = objects;
    this.#key = key;
    this.#host = host;
  }

  /**
   * Hands out `count` numbers from the returned one on, none below `floor`.
   *
   * @param window how many numbers to reserve ahead when the present window is used up
   */
  take(count: bigint, floor: bigint, window: bigint): Promise<bigint> {
    return this.#mutex.run(async () => {
      if (floor > this.#next) this.#next = floor;
      if (this.#next + count > this.#windowEnd) await this.#reserve(count, floor, window);
      const first = this.#next;
      this.#next += count;
      return first;
    });
  }

  async #reserve(count: bigint, floor: bigint, window: bigint): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const stored = await this.#read();
      const reserved = stored === undefined ? 0n : BigInt(stored.document.reservedTo);
      // A window that this instance reserved last may be continued; numbers after another instance's are not ours.
      const start = reserved === this.#windowEnd && this.#next > 0n ? this.#next : reserved > floor ? reserved : floor;
      const end = (start + count > reserved ? start + count : reserved) + window;
      if (await this.#write(end, stored?.version)) {
        this.#next = start;
        this.#windowEnd = end;
        return;
      }
    }
    throw new ElanusError('unavailable', `The counter ${this.#key} is contended; try again.`);
  }

  async #read(): Promise<{ document: CounterDocument; version: Version } | undefined> {
    const object = await this.#objects.read(this.#key);
    if (object === undefined) return undefined;
    const document = decodeDocument(KIND, FORMAT, object.bytes, this.#key) as CounterDocument;
    return { document, version: object.version };
  }

  async #write(reservedTo: bigint, expected: Version | undefined): Promise<boolean> {
    const document: CounterDocument = { reservedTo: reservedTo.toString(), nonce: nonce(this.#host.random) };
    const bytes = encodeDocument(KIND, FORMAT, document);
    try {
      if (expected === undefined) await createCertainly(this.#objects, this.#key, bytes, this.#host.clock);
      else await replaceCertainly(this.#objects, this.#key, bytes, expected, this.#host.clock);
      return true;
    } catch (error) {
      if (codeOf(error) === 'conflict') return false;
      throw error;
    }
  }
}
