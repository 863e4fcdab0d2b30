import { VectorIndex } from '../../../wasm/index.ts';
import { type DataSet, LIMIT } from '../data-set.ts';
import type { BuiltIndex } from '../system.ts';
import { buildEdgeVec, type EdgeVecPackage } from '../systems/edgevec-index.ts';
import { BYTES_MAX, buildElanus, nameOf, PAGE_SETTINGS } from '../systems/elanus-index.ts';
import { buildHnswlib, type HnswlibPackage } from '../systems/hnswlib-wasm-index.ts';
import { completed, type Databases, EMSCRIPTEN, type EmscriptenFile, openDatabase, settled } from './indexed-db.ts';
import { RemoteBench, type RemoteRequest, type SetWords } from './remote.ts';

/**
 * What runs in a page's module worker. In one that stays, the systems of the bench; in fresh ones, where nothing is warm
 * but the compiled modules, saved indexes are put into IndexedDB, each as its system keeps it there, and opened from
 * there.
 */
export type PageTask =
  | { readonly task: 'use'; readonly words: SetWords; readonly rows: string; readonly queries: string }
  | { readonly task: 'ask'; readonly request: RemoteRequest }
  | {
      readonly task: 'store';
      readonly format: 'elanus' | 'hnswlib-wasm';
      readonly url: string;
      readonly name: string;
      /** Exact vectors, raw float32, that stay outside of the index. */
      readonly vectors?: string;
    }
  | {
      readonly task: 'load';
      readonly format: 'elanus' | 'hnswlib-wasm';
      readonly name: string;
      readonly space: 'l2' | 'ip';
      readonly query: Float32Array<ArrayBuffer>;
      readonly size: number;
    };

interface WorkerScope {
  readonly indexedDB: Databases;
  readonly location: { readonly href: string };
  onmessage: (event: { readonly data: PageTask }) => void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as WorkerScope;
const OURS = { database: 'elanus-bench', store: 'indexes' } as const;

const bench = new RemoteBench(
  new Map<string, (set: DataSet) => Promise<BuiltIndex>>([
    ...PAGE_SETTINGS.map(
      (setting) =>
        [
          nameOf(setting),
          async (set: DataSet) => (await buildElanus(set, setting, { wasmUrl: wasmUrl() })).built,
        ] as const,
    ),
    ['hnswlib-wasm', async (set) => (await buildHnswlib(set, await (await hnswlibPackage()).loadHnswlib())).built],
    ['edgevec', async (set) => buildEdgeVec(set, await edgevecPackage())],
  ]),
);

scope.onmessage = ({ data }) => {
  run(data).then(
    (value) => scope.postMessage({ value }),
    (error: unknown) => scope.postMessage({ error: String(error) }),
  );
};

async function run(task: PageTask): Promise<unknown> {
  if (task.task === 'ask') return await bench.answer(task.request);
  if (task.task === 'store') return await store(task);
  if (task.task === 'load') return await (task.format === 'elanus' ? loadOurs(task) : loadHnswlib(task));
  const floats = async (url: string) => new Float32Array(await (await fetch(url)).arrayBuffer());
  bench.use(task.words, await floats(task.rows), await floats(task.queries));
  return undefined;
}

function wasmUrl(): URL {
  return new URL('/wasm/', scope.location.href);
}

/** The page's server has the peers' folders: they are not bundled, because they may not be there. */
async function importPeer<Exports>(url: string): Promise<Exports> {
  return (await import(url)) as Exports;
}

function hnswlibPackage(): Promise<HnswlibPackage> {
  return importPeer('/hnswlib-wasm/dist/hnswlib.js');
}

async function edgevecPackage(): Promise<EdgeVecPackage> {
  const edgevec = await importPeer<EdgeVecPackage>('/edgevec/edgevec.js');
  edgevec.initSync({ module: new Uint8Array(await (await fetch('/edgevec/edgevec_bg.wasm')).arrayBuffer()) });
  return edgevec;
}

/** What is stored of ours: Blobs, which leave IndexedDB four times as fast as typed arrays, and in parts if need be. */
interface OurFile {
  readonly index: Blob;
  readonly vectors: Blob | undefined;
}

async function store({ format, url, name, vectors }: PageTask & { task: 'store' }): Promise<number> {
  const contents = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const isOurs = format === 'elanus';
  const { database: databaseName, store: storeName } = isOurs ? OURS : EMSCRIPTEN;
  const ours: OurFile = {
    index: new Blob([contents]),
    vectors: vectors === undefined ? vectors : await (await fetch(vectors)).blob(),
  };
  const theirs: EmscriptenFile = { timestamp: new Date(), mode: 0o100666, contents };
  const database = await openDatabase(scope.indexedDB, databaseName, storeName, isOurs ? 1 : EMSCRIPTEN.version);
  const transaction = database.transaction(storeName, 'readwrite');
  const objects = transaction.objectStore(storeName);
  if (isOurs) objects.put(ours, name);
  else objects.put(theirs, `${EMSCRIPTEN.database}/${name}`);
  await completed(transaction);
  database.close();
  return contents.byteLength;
}

/** Seconds from the bytes in IndexedDB to the first answer; where the exact vectors lie outside, with reading those needed. */
async function loadOurs({ name, query }: PageTask & { task: 'load' }): Promise<number> {
  const options = { maxBytes: BYTES_MAX, wasmUrl: wasmUrl() };
  // The module is fetched and compiled before the clock starts, as the peer's is.
  (await VectorIndex.create({ type: 'FLAT', metric: 'L2', dimension: 4, ...options })).free();
  const began = performance.now();
  const database = await openDatabase(scope.indexedDB, OURS.database, OURS.store);
  const stored = await settled(database.transaction(OURS.store).objectStore(OURS.store).get(name));
  const { index: saved, vectors } = stored as OurFile;
  const index = await VectorIndex.load(new Uint8Array(await saved.arrayBuffer()), options);
  const handed =
    vectors === undefined ? {} : { refine: (ids: ArrayLike<number>) => partsOf(vectors, ids, query.length) };
  const { ids } = await index.searchAsync(query, { limit: LIMIT, ef: LIMIT, ...handed });
  const seconds = (performance.now() - began) / 1000;
  if (ids.length !== LIMIT) throw new Error(`${ids.length} hits`);
  return seconds;
}

/** The vectors of these rows. */
async function partsOf(vectors: Blob, ids: ArrayLike<number>, dimension: number): Promise<Float32Array> {
  const bytes = 4 * dimension;
  const parts = await new Blob(Array.from(ids, (id) => vectors.slice(id * bytes, (id + 1) * bytes))).arrayBuffer();
  return new Float32Array(parts);
}

async function loadHnswlib({ name, space, query, size }: PageTask & { task: 'load' }): Promise<number> {
  const hnswlib = await hnswlibPackage();
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
