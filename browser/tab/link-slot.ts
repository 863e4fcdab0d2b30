import { ElanusError } from '../../core/base/error.ts';
import { type EngineLink, linkLost } from './engine-access.ts';

interface Waiter {
  readonly resolve: (link: EngineLink) => void;
  readonly reject: (error: unknown) => void;
}

/** The link that calls take now; those that find none wait for the next. */
export class LinkSlot {
  readonly #waiting = new Set<Waiter>();
  #link: EngineLink | undefined;
  #end: ElanusError | undefined;

  get current(): EngineLink | undefined {
    return this.#link;
  }

  /** Resolves with the link, or rejects with `unavailable` at `until`, milliseconds since the epoch. */
  get(until: number): Promise<EngineLink> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#link !== undefined) return Promise.resolve(this.#link);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiter.reject(new ElanusError('unavailable', 'No tab has taken the lead of this database; try again.')),
        Math.max(0, until - Date.now()),
      );
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        resolve: (link) => {
          stop();
          resolve(link);
        },
        reject: (error) => {
          stop();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  put(link: EngineLink): void {
    this.clear('Another tab leads now.');
    if (this.#end !== undefined) {
      link.calls.fail(this.#end);
      return;
    }
    this.#link = link;
    for (const waiter of [...this.#waiting]) waiter.resolve(link);
  }

  /** The engine is gone: calls under way find out and wait for the next. */
  clear(message: string): void {
    const link = this.#link;
    this.#link = undefined;
    link?.calls.fail(linkLost(message));
  }

  /** Tells those who wait what keeps the engine from opening; who comes later waits for the next try. */
  refuse(error: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.reject(error);
  }

  /** No link will come any more. */
  end(error: ElanusError): void {
    this.#end ??= error;
    this.#link?.calls.fail(this.#end);
    this.#link = undefined;
    this.refuse(this.#end);
  }
}
