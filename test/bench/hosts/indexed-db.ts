/**
 * As much of IndexedDB as the bench uses, promises in place of events. Its programs are compiled without a page's
 * types, because most of them run in Node.
 */
export interface Request<Value> {
  readonly result: Value;
  readonly error: unknown;
  onsuccess: () => void;
  onerror: () => void;
}
interface Store {
  get(key: string): Request<unknown>;
  put(value: unknown, key: string): Request<unknown>;
  createIndex(name: string, key: string, options: { unique: boolean }): unknown;
}
interface Transaction {
  readonly error: unknown;
  objectStore(name: string): Store;
  oncomplete: () => void;
  onabort: () => void;
}
interface Database {
  transaction(store: string, mode?: 'readonly' | 'readwrite'): Transaction;
  createObjectStore(name: string): Store;
  close(): void;
}
interface OpenRequest extends Request<Database> {
  onupgradeneeded: () => void;
}
export interface Databases {
  open(name: string, version?: number): OpenRequest;
}

/** Where Emscripten's file system keeps the files of hnswlib-wasm: the mount's path is the database's name. */
export const EMSCRIPTEN = { database: '/hnswlib-index', store: 'FILE_DATA', version: 21 } as const;

/** What Emscripten stores for a file, under its path. */
export interface EmscriptenFile {
  readonly timestamp: Date;
  readonly mode: number;
  readonly contents: Uint8Array<ArrayBuffer>;
}

/** A write is there only when its transaction is complete: a worker that ends before takes it along. */
export function completed(transaction: Transaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

export function settled<Value>(request: Request<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Opens one object store's database; makes it as Emscripten does, if it is not there. */
export async function openDatabase(
  databases: Databases,
  name: string,
  store: string,
  version?: number,
): Promise<Database> {
  const request = databases.open(name, version);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(store).createIndex('timestamp', 'timestamp', { unique: false });
  };
  return await settled(request);
}
