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
interface Database {
  transaction(store: string, mode?: 'readonly' | 'readwrite'): { objectStore(name: string): Store };
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
