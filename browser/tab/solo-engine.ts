import { ElanusError } from '../../core/base/error.ts';
import { closedError, dataDiedError } from '../closed.ts';
import type { OpenedTab, OpenRequest } from '../protocol.ts';
import type { EngineAccess, EngineLink } from './engine-access.ts';
import { EngineWorker } from './engine-worker.ts';
import { LinkSlot } from './link-slot.ts';

/**
 * An engine of this tab's own, for data that is this tab's own (`memory`), and where there are no Web Locks: then each
 * tab has one, and the terms of the log let one write at a time.
 */
export class SoloEngine implements EngineAccess {
  readonly #request: OpenRequest;
  readonly #tab: string;
  readonly #slot = new LinkSlot();
  #engine: EngineWorker | undefined;

  constructor(request: OpenRequest, tab: string) {
    this.#request = request;
    this.#tab = tab;
  }

  async open(): Promise<OpenedTab> {
    const engine = await EngineWorker.start(this.#request);
    this.#engine = engine;
    this.#slot.put({ kind: 'own', leader: this.#tab, calls: engine.calls });
    void engine.died.then(() => this.#restart(engine));
    void engine.lost.then((reason) => this.#dataLost(engine, reason));
    return { lock: undefined, changes: engine.changes, isVolatile: engine.isVolatile };
  }

  link(until: number): Promise<EngineLink> {
    return this.#slot.get(until);
  }

  waits(): () => void {
    return () => undefined;
  }

  async close(): Promise<void> {
    const engine = this.#end();
    await engine?.close();
    this.#slot.end(closedError());
  }

  async destroy(): Promise<void> {
    const engine = this.#end();
    await engine?.destroy();
    this.#slot.end(new ElanusError('closed', 'The database was deleted; open it again.'));
  }

  #end(): EngineWorker | undefined {
    const engine = this.#engine;
    this.#engine = undefined;
    return engine;
  }

  #dataLost(engine: EngineWorker, reason: string): void {
    if (this.#engine !== engine) return;
    this.#end()?.terminate();
    this.#slot.end(closedError(reason));
  }

  async #restart(engine: EngineWorker): Promise<void> {
    if (this.#engine !== engine) return;
    this.#engine = undefined;
    if (engine.isVolatile) {
      this.#slot.end(dataDiedError('engine'));
      return;
    }
    this.#slot.clear('The engine has died.');
    await this.open().catch((error: unknown) => this.#slot.refuse(error));
  }
}
