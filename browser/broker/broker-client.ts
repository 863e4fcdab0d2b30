import type { BrokerMessage } from './broker.ts';

/** How long a SharedWorker may take to start before the tab goes on without it. */
const START_MS_MAX = 1_000;

/** A tab's way to the broker, which carries ports between tabs. */
export class BrokerClient {
  /** Which broker it is; undefined if there is none. Two tabs can send each other ports if theirs is the same. */
  readonly id: Promise<string | undefined>;
  readonly #port: MessagePort | undefined;

  /**
   * @param port to the SharedWorker, if the page has one
   * @param onPort takes a port that another tab has sent, for the engine that it names
   */
  constructor(port: MessagePort | undefined, onPort: (engine: string, port: MessagePort) => void) {
    this.#port = port;
    if (port === undefined) {
      this.id = Promise.resolve(undefined);
      return;
    }
    this.id = new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), START_MS_MAX);
      port.addEventListener('message', (event) => {
        const message = event.data as BrokerMessage;
        if (message.type === 'connect') onPort(message.engine, message.port);
        if (message.type !== 'broker') return;
        clearTimeout(timer);
        resolve(message.broker);
      });
      port.start();
    });
  }

  /** Introduces this tab; it must hold its own lock already, by which the broker sees that it lives. */
  join(database: string, tab: string): void {
    this.#port?.postMessage({ type: 'join', database, tab } satisfies BrokerMessage);
  }

  /** Sends a port to another tab. If that tab is gone, so is the port. */
  send(to: string, engine: string, port: MessagePort): void {
    this.#port?.postMessage({ type: 'connect', to, engine, port } satisfies BrokerMessage, [port]);
  }

  close(): void {
    this.#port?.close();
  }
}
