import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type DataSet, unitVectors } from '../data-set.ts';
import { type Databases, EMSCRIPTEN, type EmscriptenFile, openDatabase, settled } from '../hosts/indexed-db.ts';
import { importPeer } from '../peers.ts';
import { BUILD, type BuiltIndex, inProcess, type SavedIndex, type System, secondsOf, views } from '../system.ts';

/** What this bench uses of hnswlib-wasm. */
interface HnswlibIndex {
  initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void;
  addPoints(items: readonly Float32Array[], labels: readonly number[], replaceDeleted: boolean): void;
  searchKnn(query: Float32Array, limit: number, filter: undefined): { neighbors: number[] };
  setEfSearch(ef: number): void;
  writeIndex(name: string): Promise<boolean>;
  readIndex(name: string, maxElements: number): Promise<boolean>;
  delete(): void;
}
interface HnswlibModule {
  readonly HierarchicalNSW: new (space: 'l2' | 'ip', dimension: number, autoSaveName: string) => HnswlibIndex;
}
interface HnswlibPackage {
  loadHnswlib(): Promise<HnswlibModule>;
  syncFileSystem(action: 'read' | 'write'): Promise<void>;
}

let loaded: Promise<HnswlibModule> | undefined;

/**
 * hnswlib-wasm: what there is for browsers. It takes Node for a page if there are a `window` and an IndexedDB, which
 * are there only while it loads. COSINE is its inner product of vectors that were brought to length 1 before.
 */
export const HNSWLIB_WASM: System = {
  name: 'hnswlib-wasm',
  async build(set) {
    const { HierarchicalNSW } = await loadHnswlib();
    const prepared = (vectors: Float32Array) =>
      set.metric === 'COSINE' ? unitVectors(vectors, set.dimension) : vectors;
    const rows = views(prepared(set.rows), set.dimension);
    const queries = views(prepared(set.queries), set.dimension);
    const labels = rows.map((_, row) => row);
    const index = new HierarchicalNSW(set.metric === 'COSINE' ? 'ip' : 'l2', set.dimension, '');
    index.initIndex(set.size, BUILD.M, BUILD.efConstruction, BUILD.seed);
    const buildSeconds = await secondsOf(() => index.addPoints(rows, labels, false));
    return new WasmIndex(set, index, queries, buildSeconds);
  },
};

class WasmIndex implements BuiltIndex {
  readonly buildSeconds: number;
  /** As in `hnswlib.cpp`, with pointers of 4 bytes and labels of 4: its levels are all that is estimated. */
  readonly memoryBytes: number;
  readonly memoryNote = 'by the formula of its header';
  readonly answers: BuiltIndex['answers'];
  readonly time: BuiltIndex['time'];
  readonly #index: HnswlibIndex;

  constructor(set: DataSet, index: HnswlibIndex, queries: readonly Float32Array[], buildSeconds: number) {
    this.#index = index;
    this.buildSeconds = buildSeconds;
    this.memoryBytes = wasmBytes(set.size, set.dimension);
    let ef = 0;
    const run = inProcess(set, (query, knob) => {
      if (knob !== ef) index.setEfSearch(knob);
      ef = knob;
      return index.searchKnn(queries[query]!, 10, undefined).neighbors;
    });
    this.answers = run.answers;
    this.time = run.time;
  }

  /**
   * Its bytes are only to be had through IndexedDB. Here that is an imitation in memory, so how long a load takes is
   * measured in Chromium alone.
   */
  async save(): Promise<SavedIndex> {
    const { syncFileSystem } = await hnswlibPackage();
    const name = `${performance.now()}.hnsw`;
    await quietly(async () => {
      await this.#index.writeIndex(name);
      await syncFileSystem('write');
      // The first of these starts a synchronization too, which ends, and says so, a moment later.
      await setTimeout(100);
    });
    const folder = mkdtempSync(join(tmpdir(), 'elanus-bench-'));
    const path = join(folder, 'saved.hnsw');
    const contents = await storedFile(name);
    writeFileSync(path, contents);
    return { bytes: contents.byteLength, path, remove: async () => rmSync(folder, { recursive: true }) };
  }

  async free(): Promise<void> {
    this.#index.delete();
  }
}

/** What its file system stored under a name. */
async function storedFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const { indexedDB } = await importPeer<{ indexedDB: Databases }>('fake-indexeddb', 'build/esm/index.js');
  const database = await openDatabase(indexedDB, EMSCRIPTEN.database, EMSCRIPTEN.store);
  const store = database.transaction(EMSCRIPTEN.store).objectStore(EMSCRIPTEN.store);
  const { contents } = (await settled(store.get(`${EMSCRIPTEN.database}/${name}`))) as EmscriptenFile;
  database.close();
  return contents;
}

function hnswlibPackage(): Promise<HnswlibPackage> {
  return importPeer<HnswlibPackage>('hnswlib-wasm', 'dist/hnswlib.js');
}

function loadHnswlib(): Promise<HnswlibModule> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<HnswlibModule> {
  const { indexedDB } = await importPeer<{ indexedDB: Databases }>('fake-indexeddb', 'build/esm/index.js');
  Object.assign(globalThis, { window: globalThis, indexedDB });
  try {
    return await quietly(async () => (await hnswlibPackage()).loadHnswlib());
  } finally {
    Reflect.deleteProperty(globalThis, 'window');
  }
}

/** It tells the console what its file system does. */
async function quietly<Value>(work: () => Promise<Value>): Promise<Value> {
  const { log, warn } = console;
  Object.assign(console, { log: () => {}, warn: () => {} });
  try {
    return await work();
  } finally {
    Object.assign(console, { log, warn });
  }
}

/** Vector, label, links of level 0, and per row a pointer, a level, a visited mark; upper levels hold 1 / (M - 1). */
function wasmBytes(size: number, dimension: number): number {
  const upper = ((BUILD.M + 1) * 4) / (BUILD.M - 1);
  return Math.round(size * (4 * dimension + 4 + (2 * BUILD.M + 1) * 4 + 4 + 4 + 2 + upper));
}
