import { tryAll } from '../base/try-all.ts';
import type { Platform } from '../platform.ts';
import { Coordinator } from './coordinator.ts';
import type { Cluster, CoordinatorPeer, StreamingPeer } from './protocol.ts';
import { Proxy } from './proxy.ts';
import { StreamingNode } from './streaming-node.ts';

/** All roles in one thread: the browser's engine worker, Node, and the tests. */
export class LocalCluster implements Cluster {
  readonly coordinator: CoordinatorPeer;
  readonly proxy: Proxy;
  readonly #coordinator: Coordinator;
  readonly #node: StreamingNode;

  constructor(platform: Platform) {
    this.#coordinator = new Coordinator(platform, () => this.#node);
    this.coordinator = this.#coordinator;
    this.#node = new StreamingNode(platform, this.#coordinator);
    this.proxy = new Proxy(this, platform.clock);
  }

  streamingNode(_channel: string): StreamingPeer {
    return this.#node;
  }

  /** What is due in every role; the host calls it when `Platform.wake` asked for it, and once at opening. */
  async work(): Promise<void> {
    await tryAll([() => this.#node.work(), () => this.#coordinator.work()]);
  }

  /** Waits for writes under way and frees all memory. */
  async close(): Promise<void> {
    await this.#node.close();
  }
}
