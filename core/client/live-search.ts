import { codeOf, ElanusError } from '../base/error.ts';
import type { LiveOptions, LiveSearch } from '../elanus.ts';
import type { Change } from '../model/change.ts';
import { pause } from './call.ts';
import { sameValue } from './same-value.ts';

/** How often a search that fails in passing is made again, and how long after the first failure; each waits twice as long. */
const RETRIES_MAX = 6;
const RETRY_PAUSE_MS = 100;
/** Errors that pass: the engine changes hands, or has too much to do. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'overloaded', 'fenced', 'timeout']);

/** What a live search consists of. */
export interface LiveSearchParts<Results> {
  /** `isFirst` until it has succeeded once: later ones must see the change that they are made for. */
  readonly search: (signal: AbortSignal, isFirst: boolean) => Promise<Results>;
  /** The changes of the collection; the answer ends the subscription. */
  readonly subscribe: (listener: (change: Change<unknown>) => void) => () => void;
  readonly listener: (results: Results) => void;
  readonly options: LiveOptions;
  readonly collectionName: string;
}

/**
 * A search whose results are kept up to date: one search runs at a time, and however many changes come meanwhile, one
 * more follows. It listens before it searches, so that no change falls between.
 */
export class RunningSearch<Results> implements LiveSearch {
  readonly #parts: LiveSearchParts<Results>;
  readonly #controller = new AbortController();
  readonly #unsubscribe: () => void;
  readonly #stop = (): void => this.stop();
  /** Something may have changed since the search under way began. */
  #isDue = true;
  #isRunning = false;
  #results: { readonly last: Results } | undefined;

  constructor(parts: LiveSearchParts<Results>) {
    this.#parts = parts;
    this.#unsubscribe = parts.subscribe((change) => this.#changed(change));
    parts.options.signal?.addEventListener('abort', this.#stop, { once: true });
    if (parts.options.signal?.aborted === true) this.stop();
    else void this.#run();
  }

  stop(): void {
    this.#controller.abort();
    this.#unsubscribe();
    this.#parts.options.signal?.removeEventListener('abort', this.#stop);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  get #isStopped(): boolean {
    return this.#controller.signal.aborted;
  }

  #changed({ kind }: Change<unknown>): void {
    if (this.#isStopped) return;
    if (kind === 'drop') {
      const { collectionName } = this.#parts;
      const message = `Collection ${collectionName} was dropped, and with it this live search; create it, and search again.`;
      this.#fail(new ElanusError('not-found', message, { details: { collection: collectionName } }));
    } else {
      this.#isDue = true;
      void this.#run();
    }
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#isDue && !this.#isStopped) {
        this.#isDue = false;
        this.#show(await this.#search());
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isRunning = false;
    }
  }

  async #search(): Promise<Results> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#parts.search(this.#controller.signal, this.#results === undefined);
      } catch (error) {
        if (this.#isStopped || attempt >= RETRIES_MAX || !PASSING.has(codeOf(error))) throw error;
      }
      await pause(RETRY_PAUSE_MS * 2 ** attempt, this.#controller.signal);
    }
  }

  #show(results: Results): void {
    if (this.#isStopped || (this.#results !== undefined && sameValue(this.#results.last, results))) return;
    this.#results = { last: results };
    try {
      this.#parts.listener(results);
    } catch (error) {
      // Its own mistake, which ends nothing here; the host shows it.
      void Promise.reject(error);
    }
  }

  /** Ends the search and says why, once. What a stopped search still fails with is nobody's concern. */
  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.stop();
    const { onError } = this.#parts.options;
    if (onError === undefined) void Promise.reject(error);
    else onError(error);
  }
}
