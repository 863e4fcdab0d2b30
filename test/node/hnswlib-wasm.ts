import { IDBFactory } from 'fake-indexeddb';

/**
 * hnswlib-wasm in Node: it wants a `window`, and hands the bytes of an index out through IndexedDB alone, in the file
 * system that Emscripten keeps there.
 */

export type HnswlibSpace = 'l2' | 'ip' | 'cosine';

/** Of its HierarchicalNSW, what the tests use. It throws strings, numbers and errors. */
export interface HnswlibWasmIndex {
  initIndex(maxElements: number, M: number, efConstruction: number, seed: number): void;
  addPoint(vector: Float32Array, label: number, replaceDeleted: boolean): void;
  markDelete(label: number): void;
  setEfSearch(ef: number): void;
  searchKnn(query: Float32Array, limit: number, filter: undefined): { neighbors: number[]; distances: number[] };
  getUsedLabels(): number[];
  getDeletedLabels(): number[];
  getPoint(label: number): Float32Array | number[];
  getMaxElements(): number;
  getCurrentCount(): number;
  readIndex(filename: string, maxElements: number): Promise<boolean>;
  writeIndex(filename: string): Promise<boolean>;
}

interface HnswlibWasmModule {
  HierarchicalNSW: new (space: HnswlibSpace, dimension: number, autoSaveFilename: string) => HnswlibWasmIndex;
  EmscriptenFileSystemManager: { isSynced(): boolean; setDebugLogs(enabled: boolean): void };
}

interface HnswlibWasmPackage {
  loadHnswlib(): Promise<HnswlibWasmModule>;
  syncFileSystem(action: 'read' | 'write'): Promise<void>;
}

/** Of IndexedDB, what is used here: no types of a browser are known in Node. */
interface Request<Result> {
  result: Result;
  error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

interface FileStore {
  get(path: string): Request<unknown>;
  put(file: unknown, path: string): Request<unknown>;
}

interface Database {
  transaction(store: string, mode: 'readonly' | 'readwrite'): { objectStore(name: string): FileStore };
  close(): void;
}

interface Databases {
  open(name: string): Request<Database>;
}

/** Where it mounts its files: the name of the database too. */
const FOLDER = '/hnswlib-index';
const STORE = 'FILE_DATA';
/** A regular file that its owner may write. */
const MODE = 0o100644;

export class HnswlibWasm {
  readonly #module: HnswlibWasmModule;
  readonly #package: HnswlibWasmPackage;
  readonly #indexedDB: Databases;
  #files = 0;

  private constructor(module: HnswlibWasmModule, of: HnswlibWasmPackage, indexedDB: Databases) {
    this.#module = module;
    this.#package = of;
    this.#indexedDB = indexedDB;
  }

  /** One instance a test file: the package keeps its module in a global of its own. */
  static async load(): Promise<HnswlibWasm> {
    const indexedDB = new IDBFactory() as unknown as Databases;
    Object.assign(globalThis, { window: { indexedDB } });
    const of = (await import('hnswlib-wasm/dist/hnswlib.js')) as unknown as HnswlibWasmPackage;
    const module = await of.loadHnswlib();
    module.EmscriptenFileSystemManager.setDebugLogs(false);
    return new HnswlibWasm(module, of, indexedDB);
  }

  /** An empty index that is not initialised. */
  create(space: HnswlibSpace, dimension: number): HnswlibWasmIndex {
    return new this.#module.HierarchicalNSW(space, dimension, '');
  }

  /** What `writeIndex` puts on disk. */
  async save(index: HnswlibWasmIndex): Promise<Uint8Array<ArrayBuffer>> {
    const name = `saved-${this.#files++}`;
    // It copies its files to IndexedDB by itself, and does not wait for it. A second copy at the same time would take
    // files away.
    await index.writeIndex(name);
    await this.#synced();
    const { contents } = await this.#store<{ contents: Uint8Array | Int8Array }>('readonly', (files) =>
      files.get(`${FOLDER}/${name}`),
    );
    return new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength).slice();
  }

  /** An index of a file's bytes. `maxElements` is the room that it has; 0 takes what the file says. */
  async open(
    bytes: Uint8Array<ArrayBuffer>,
    of: { space: HnswlibSpace; dimension: number; maxElements?: number },
  ): Promise<HnswlibWasmIndex> {
    const name = `given-${this.#files++}`;
    const file = { timestamp: new Date(), mode: MODE, contents: bytes.slice() };
    await this.#store('readwrite', (files) => files.put(file, `${FOLDER}/${name}`));
    await this.#package.syncFileSystem('read');
    await this.#synced();
    const index = this.create(of.space, of.dimension);
    await index.readIndex(name, of.maxElements ?? 0);
    await this.#synced();
    return index;
  }

  /** Its files and IndexedDB are the same. */
  async #synced(): Promise<void> {
    while (!this.#module.EmscriptenFileSystemManager.isSynced()) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #store<Result>(
    mode: 'readonly' | 'readwrite',
    request: (files: FileStore) => Request<unknown>,
  ): Promise<Result> {
    const database = await settled(this.#indexedDB.open(FOLDER));
    const result = await settled(request(database.transaction(STORE, mode).objectStore(STORE)));
    database.close();
    return result as Result;
  }
}

function settled<Result>(request: Request<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
