import { assert } from '../../core/base/assert.ts';
import { ElanusError } from '../../core/base/error.ts';
import type { Connection, ConnectionCallOptions } from '../../core/client/connection.ts';
import type { Info } from '../../core/elanus.ts';
import type { Change } from '../../core/model/change.ts';
import { openChangesChannel } from '../changes-channel.ts';
import { closedError, dataDiedError } from '../closed.ts';
import type { OpenedTab, OpenRequest } from '../protocol.ts';
import { isWorkerDeath, TabWorker } from './tab-worker.ts';

/** Methods that must not be repeated when the tab worker that knew their request ids is gone. */
const WRITES: ReadonlySet<string> = new Set(['insert', 'upsert', 'delete']);
/** How often a call is tried at one tab worker after another. */
const TRIES_MAX = 3;

/**
 * A page's way to its database: the tab worker that it starts, and another if that one dies. Reads under way are then
 * repeated; a write rejects with `unavailable` and `details.outcome` `'unknown'`.
 */
export class TabConnection implements Connection {
  readonly #request: OpenRequest;
  #worker: Promise<TabWorker> | undefined;
  #opened: OpenedTab | undefined;
  #closed = false;

  constructor(request: OpenRequest) {
    this.#request = request;
  }

  /** Rejects with what keeps the database from opening. */
  async open(): Promise<void> {
    this.#opened = (await this.#started()).opened;
  }

  /** Each subscription hears the engine itself: nothing passes through the tab worker. */
  subscribe(listener: (change: Change) => void): () => void {
    assert(this.#opened !== undefined, 'a connection is given out when it is open');
    const channel = openChangesChannel(this.#opened.changes);
    channel.addEventListener('message', (event) => listener(event.data as Change));
    return () => channel.close();
  }

  async call(method: string, body: unknown, options?: ConnectionCallOptions): Promise<unknown> {
    const buffers = options?.transfer;
    const mayRepeat = !WRITES.has(method) && buffers === undefined;
    return this.#try(mayRepeat ? TRIES_MAX : 1, async (worker) => {
      try {
        return await worker.call(method, body, buffers);
      } catch (error) {
        if (!WRITES.has(method) || !isWorkerDeath(error)) throw error;
        const { message, details } = error as ElanusError;
        throw new ElanusError('unavailable', message, { cause: error, details: { ...details, outcome: 'unknown' } });
      }
    });
  }

  info(): Promise<Info> {
    return this.#try(TRIES_MAX, (worker) => worker.info());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A worker that has died, or was never opened, holds nothing.
    const worker = await this.#worker?.catch(() => undefined);
    await worker?.close().catch((error: unknown) => {
      if (!isWorkerDeath(error)) throw error;
    });
  }

  async destroy(): Promise<void> {
    await this.#try(TRIES_MAX, (worker) => worker.destroy());
    this.#closed = true;
  }

  async #try<Answer>(triesMax: number, ask: (worker: TabWorker) => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      if (this.#closed) throw closedError();
      const worker = await this.#started();
      try {
        return await ask(worker);
      } catch (error) {
        if (!isWorkerDeath(error) || attempt >= triesMax) throw error;
      }
    }
  }

  #started(): Promise<TabWorker> {
    if (this.#worker !== undefined) return this.#worker;
    if (this.#opened?.isVolatile === true) {
      throw dataDiedError('worker');
    }
    const starting = TabWorker.start(this.#request);
    this.#worker = starting;
    const forget = (): void => {
      if (this.#worker === starting) this.#worker = undefined;
    };
    starting.then((worker) => worker.died.catch(forget), forget);
    return starting;
  }
}
