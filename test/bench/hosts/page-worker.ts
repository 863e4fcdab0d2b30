import { VectorIndex } from '../../../wasm/index.ts';
import { LIMIT } from '../data-set.ts';
import { type Databases, EMSCRIPTEN, type EmscriptenFile, openDatabase, settled } from './indexed-db.ts';

/**
 * What runs in a page's module worker: saved indexes are put into IndexedDB, each as its system keeps it there, and
 * opened from there in a fresh worker, where nothing is warm but the compiled modules. The bundler finds
 * `hnswlib-wasm` in this folder's packages.
 */
export type PageTask =
  | { readonly task: 'store'; readonly format: 'elanus' | 'hnswlib-wasm'; readonly url: string; readonly name: string }
  | {
      readonly task: 'load';
      readonly format: 'elanus' | 'hnswlib-wasm';
      readonly name: string;
      readonly space: 'l2' | 'ip';
      readonly query: Float32Array<ArrayBuffer>;
      readonly size: number;
    };

interface HnswlibIndex {
  initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void;
  readIndex(name: string, maxElements: number): Promise<boolean>;
  searchKnn(query: Float32Array, limit: number, filter: undefined): { neighbors: number[] };
}
interface HnswlibPackage {
  loadHnswlib(): Promise<{
    HierarchicalNSW: new (space: string, dimension: number, autoSaveName: string) => HnswlibIndex;
  }>;
  syncFileSystem(action: 'read'): Promise<void>;
}
interface WorkerScope {
  readonly indexedDB: Databases;
  readonly location: { readonly href: string };
  onmessage: (event: { readonly data: PageTask }) => void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as WorkerScope;
const OURS = { database: 'elanus-bench', store: 'indexes' } as const;
const BYTES_MAX = 3 * 2 ** 30;

scope.onmessage = ({ data }) => {
  const work = data.task === 'store' ? store(data) : load(data);
  work.then(
    (value) => scope.postMessage({ value }),
    (error: unknown) => scope.postMessage({ error: String(error) }),
  );
};

async function store({ format, url, name }: PageTask & { task: 'store' }): Promise<number> {
  const contents = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const isOurs = format === 'elanus';
  const { database: databaseName, store: storeName } = isOurs ? OURS : EMSCRIPTEN;
  const database = await openDatabase(scope.indexedDB, databaseName, storeName, isOurs ? 1 : EMSCRIPTEN.version);
  const objects = database.transaction(storeName, 'readwrite').objectStore(storeName);
  const file: EmscriptenFile = { timestamp: new Date(), mode: 0o100666, contents };
  await settled(isOurs ? objects.put(contents, name) : objects.put(file, `${EMSCRIPTEN.database}/${name}`));
  database.close();
  return contents.byteLength;
}

/** Seconds from the bytes in IndexedDB to the first answer. */
async function load(task: PageTask & { task: 'load' }): Promise<number> {
  return task.format === 'elanus' ? await loadOurs(task) : await loadHnswlib(task);
}

async function loadOurs({ name, query }: PageTask & { task: 'load' }): Promise<number> {
  const options = { maxBytes: BYTES_MAX, wasmUrl: new URL('/wasm/', scope.location.href) };
  // The module is fetched and compiled before the clock starts, as the peer's is.
  (await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension: 4, ...options })).free();
  const began = performance.now();
  const database = await openDatabase(scope.indexedDB, OURS.database, OURS.store);
  const bytes = await settled(database.transaction(OURS.store).objectStore(OURS.store).get(name));
  const index = await VectorIndex.load(bytes as Uint8Array, options);
  const { ids } = index.search(query, { limit: LIMIT, ef: LIMIT });
  const seconds = (performance.now() - began) / 1000;
  if (ids.length !== LIMIT) throw new Error(`${ids.length} hits`);
  return seconds;
}

async function loadHnswlib({ name, space, query, size }: PageTask & { task: 'load' }): Promise<number> {
  const hnswlib = (await import('hnswlib-wasm')) as unknown as HnswlibPackage;
  const { HierarchicalNSW } = await hnswlib.loadHnswlib();
  const began = performance.now();
  await hnswlib.syncFileSystem('read');
  const index = new HierarchicalNSW(space, query.length, '');
  index.initIndex(size, 16, 200, 1);
  await index.readIndex(name, size);
  const { neighbors } = index.searchKnn(query, LIMIT, undefined);
  const seconds = (performance.now() - began) / 1000;
  if (neighbors.length !== LIMIT) throw new Error(`${neighbors.length} hits`);
  return seconds;
}
