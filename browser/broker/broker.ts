import { lockNames, whenReleased } from '../locks.ts';

/** What a tab says to the broker, and hears from it. */
export type BrokerMessage =
  /** The tab introduces itself. */
  | { readonly type: 'join'; readonly database: string; readonly tab: string }
  /** The broker says which one it is: two builds of an app have two. */
  | { readonly type: 'broker'; readonly broker: string }
  /** A tab sends a port to the leader, and the leader gets it. */
  | { readonly type: 'connect'; readonly to: string; readonly engine: string; readonly port: MessagePort };

/**
 * Runs in a SharedWorker: carries a port from one tab to another, which BroadcastChannels cannot. It looks into nothing
 * and keeps nothing but the ports of the tabs that live.
 */
export class Broker {
  readonly #id: string;
  readonly #tabs = new Map<string, MessagePort>();

  constructor(id: string) {
    this.#id = id;
  }

  /** A page has connected; its port now lies with the tab worker that it started. */
  connect(port: MessagePort): void {
    port.addEventListener('message', (event) => this.#heard(port, event.data as BrokerMessage));
    port.start();
  }

  #heard(port: MessagePort, message: BrokerMessage): void {
    if (message.type === 'join') {
      this.#tabs.set(message.tab, port);
      port.postMessage({ type: 'broker', broker: this.#id } satisfies BrokerMessage);
      const lock = lockNames.tab(message.database, message.tab);
      void whenReleased(lock, new AbortController().signal).then(() => this.#tabs.delete(message.tab));
    }
    if (message.type === 'connect') this.#tabs.get(message.to)?.postMessage(message, [message.port]);
  }
}
