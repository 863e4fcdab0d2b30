/** One end of a way between two workers: what is posted here is heard there, in order, or never. */
export interface Endpoint {
  /** Buffers in `transfer` are moved where the way can move them, else copied. Throws if the message cannot be cloned. */
  post(message: unknown, transfer?: readonly Transferable[]): void;
  /** Called once; messages that came before are not lost on a port. */
  listen(listener: (message: unknown) => void): void;
  close(): void;
}

/** What a dedicated worker, its scope and a message port have in common. */
export interface MessageTarget {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

/** A worker from outside, or its own scope from inside. */
export function workerEndpoint(target: MessageTarget): Endpoint {
  return {
    post: (message, transfer = []) => target.postMessage(message, [...transfer]),
    listen: (listener) => target.addEventListener('message', (event) => listener(event.data)),
    close: () => undefined,
  };
}

export function portEndpoint(port: MessagePort): Endpoint {
  return {
    post: (message, transfer = []) => port.postMessage(message, [...transfer]),
    listen: (listener) => {
      port.addEventListener('message', (event) => listener(event.data));
      port.start();
    },
    close: () => port.close(),
  };
}

/**
 * A way by a BroadcastChannel whose name two ends alone know. Everything is copied; what is posted before the other end
 * has opened the channel is lost.
 */
export function broadcastEndpoint(channelName: string): Endpoint {
  const channel = new BroadcastChannel(channelName);
  return {
    post: (message) => channel.postMessage(message),
    listen: (listener) => channel.addEventListener('message', (event) => listener(event.data)),
    close: () => channel.close(),
  };
}
