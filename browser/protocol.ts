import type { Info } from '../core/elanus.ts';

/** The BroadcastChannel for the changes of a database that all tabs share. */
export function sharedChanges(database: string): string {
  return `elanus:${database}:changes`;
}

/** What the page tells its tab worker when it opens a database, and the tab worker its engine. */
export interface OpenRequest {
  readonly name: string;
  readonly storage: StorageKind | 'auto';
  /** The script of every worker: the tab worker starts the engine from it. */
  readonly workerUrl: string;
  /** The two builds of the WASM core. */
  readonly wasmUrl: { readonly simd: string; readonly relaxed: string };
  /** Bytes of memory that the engine may hold, in WASM and JavaScript. */
  readonly memoryBytesMax: number;
  /** How a tab that does not lead reaches the engine. */
  readonly link: LinkChoice;
}

/** Where the data lies. */
export type StorageKind = 'indexeddb+opfs' | 'indexeddb' | 'memory';

/** `auto` takes ports where a SharedWorker can carry them, else a BroadcastChannel. */
export type LinkChoice = 'auto' | 'ports' | 'broadcast';

/** What an engine says when it is open. */
export interface OpenedEngine {
  readonly storage: StorageKind;
  /** The BroadcastChannel on which it tells of each committed change. */
  readonly changes: string;
}

/** What the page has to know of its tab worker. */
export interface OpenedTab {
  /** Held by the tab worker for as long as it lives; undefined where there are no Web Locks. */
  readonly lock: string | undefined;
  /** The BroadcastChannel on which the engine that leads tells of each committed change. */
  readonly changes: string;
  /** The data ends with the tab worker. */
  readonly isVolatile: boolean;
}

/**
 * What the tab worker answers to its page; exposed through Comlink. Errors cross by the transfer handler of
 * `carry-errors.ts`.
 */
export interface TabApi {
  /** @param broker a port to the SharedWorker, from pages that have one */
  open(request: OpenRequest, broker: MessagePort | undefined): Promise<OpenedTab>;
  /** @param list a list of the body that was sent in parts */
  call(method: string, body: unknown, list?: { readonly id: number; readonly key: string }): Promise<unknown>;
  /** A part of a list that is too large for one message: the call that names the list follows the last one. */
  part(list: number, items: readonly unknown[]): Promise<void>;
  /** No call will name this list. */
  forget(list: number): Promise<void>;
  info(): Promise<Info>;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/** What the engine worker answers to the tab worker that has started it. */
export interface EngineApi {
  /** @param id names the engine: it holds a lock of this name for as long as it lives */
  open(request: OpenRequest, id: string): Promise<OpenedEngine>;
  /** Resolves with the reason when the data are taken away while they are open. */
  lost(): Promise<string>;
  info(): Promise<Omit<Info, 'tab'>>;
  /** Serves another tab over a port, or over a BroadcastChannel until that tab is detached. */
  attachPort(port: MessagePort): void;
  attachChannel(tab: string, channel: string): void;
  detach(tab: string): void;
  close(): Promise<void>;
  destroy(): Promise<void>;
}
