import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Databases, EMSCRIPTEN, type EmscriptenFile, openDatabase, settled } from '../hosts/indexed-db.ts';
import { importPeer } from '../peers.ts';
import { quietly } from '../quietly.ts';
import type { SavedIndex, System } from '../system.ts';
import { buildHnswlib, type HnswlibIndex, type HnswlibModule, type HnswlibPackage } from './hnswlib-wasm-index.ts';

let loaded: Promise<HnswlibModule> | undefined;

/**
 * hnswlib-wasm: what there is for browsers. It takes Node for a page if there are a `window` and an IndexedDB, which
 * are there only while it loads.
 */
export const HNSWLIB_WASM: System = {
  name: 'hnswlib-wasm',
  async build(set) {
    const { built, index } = await buildHnswlib(set, await loadHnswlib());
    return { ...built, save: () => save(index) };
  },
};

/**
 * Its bytes are only to be had through IndexedDB. Here that is an imitation in memory, so how long a load takes is
 * measured in Chromium alone.
 */
async function save(index: HnswlibIndex): Promise<SavedIndex> {
  const { syncFileSystem } = await hnswlibPackage();
  const name = `${performance.now()}.hnsw`;
  await quietly(async () => {
    await index.writeIndex(name);
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
