import { assert } from '../../core/base/assert.ts';
import { ElanusError } from '../../core/base/error.ts';
import { workerEndpoint } from '../link/endpoint.ts';
import { PeerCalls } from '../link/peer-calls.ts';
import { lockNames, locksWork, whenReleased } from '../locks.ts';
import type { OpenedEngine, OpenRequest } from '../protocol.ts';
import { startWorker, whyItFailed } from '../start-worker.ts';
import { randomId } from '../surroundings.ts';
import { linkLost } from './engine-access.ts';

/** An engine in a worker of this tab worker's own. */
export class EngineWorker {
  readonly id: string = randomId();
  readonly calls: PeerCalls;
  /** Resolves when the engine has died by itself; never after `terminate`. */
  readonly died: Promise<void>;
  /** Resolves with the reason when the data are taken away from under the engine; never after `terminate`. */
  readonly lost: Promise<string>;
  readonly #worker: Worker;
  readonly #watching = new AbortController();
  #opened: OpenedEngine | undefined;
  #died: () => void = () => undefined;
  #lost: (reason: string) => void = () => undefined;

  private constructor(workerUrl: string) {
    this.#worker = startWorker(workerUrl, 'elanus-engine');
    this.calls = new PeerCalls(workerEndpoint(this.#worker));
    this.died = new Promise((resolve) => {
      this.#died = resolve;
    });
    this.lost = new Promise((resolve) => {
      this.#lost = resolve;
    });
    this.#worker.addEventListener('error', (event) => {
      const why = whyItFailed(workerUrl, event.message);
      this.#dead(new ElanusError('unavailable', `The engine worker failed: ${why}.`));
    });
  }

  /** Starts the worker and opens the database in it. Rejects with what keeps it from opening. */
  static async start(request: OpenRequest): Promise<EngineWorker> {
    const engine = new EngineWorker(request.workerUrl);
    try {
      await engine.#open(request);
      return engine;
    } catch (error) {
      engine.terminate();
      throw error;
    }
  }

  /** The BroadcastChannel of its changes. */
  get changes(): string {
    assert(this.#opened !== undefined, 'an engine is given out when it is open');
    return this.#opened.changes;
  }

  /** The data ends with the engine. */
  get isVolatile(): boolean {
    return this.#opened?.storage === 'memory';
  }

  attachPort(port: MessagePort): Promise<unknown> {
    return this.calls.call('worker', 'attachPort', [port], [port]);
  }

  attachChannel(tab: string, channel: string): Promise<unknown> {
    return this.calls.call('worker', 'attachChannel', [tab, channel]);
  }

  detach(tab: string): void {
    // An engine that has ended has let go of everything.
    void this.calls.call('worker', 'detach', [tab]).catch(() => undefined);
  }

  /** Waits for what is being written, and lets go of the storage. */
  async close(): Promise<void> {
    this.#watching.abort();
    await this.calls.call('worker', 'close', []);
    this.terminate();
  }

  async destroy(): Promise<void> {
    this.#watching.abort();
    await this.calls.call('worker', 'destroy', []);
    this.terminate();
  }

  /** Ends the worker at once. Calls under way are tried again at the next engine. */
  terminate(): void {
    this.#watching.abort();
    this.#worker.terminate();
    this.calls.fail(linkLost('The engine of this tab was stopped.'));
  }

  async #open(request: OpenRequest): Promise<void> {
    this.#opened = (await this.calls.call('worker', 'open', [request, this.id])) as OpenedEngine;
    void this.#watchLoss();
    if (!(await locksWork())) return;
    void whenReleased(lockNames.engine(request.name, this.id), this.#watching.signal).then(() =>
      this.#dead(linkLost('The engine worker has ended.')),
    );
  }

  async #watchLoss(): Promise<void> {
    try {
      this.#lost(String(await this.calls.call('worker', 'lost', [])));
    } catch {
      // The engine has ended before.
    }
  }

  #dead(error: ElanusError): void {
    if (this.#watching.signal.aborted) return;
    this.#watching.abort();
    this.#worker.terminate();
    this.calls.fail(error);
    this.#died();
  }
}
