import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DataSet, LIMIT, unitVectors } from '../data-set.ts';
import { peerFolder, requireFrom } from '../peers.ts';
import { BUILD, type BuiltIndex, inProcess, type SavedIndex, type System, secondsOf, views } from '../system.ts';

/** What this bench uses of hnswlib-node. */
interface HnswlibIndex {
  initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
  addPoint(point: readonly number[], label: number): void;
  searchKnn(query: readonly number[], limit: number): { neighbors: number[] };
  setEf(ef: number): void;
  writeIndexSync(path: string): void;
  readIndexSync(path: string): void;
}
interface HnswlibModule {
  readonly HierarchicalNSW: new (space: 'l2' | 'ip', dimension: number) => HnswlibIndex;
}

/** hnswlib-node as npm builds it: for any x86-64 or ARM machine, so with SSE at most. */
export const HNSWLIB_NODE: System = {
  name: 'hnswlib-node',
  isBeside: true,
  build: async (set) => build(set, requireFrom(built(peerFolder('hnswlib-node'), {}))),
};

/** hnswlib-node compiled for this machine. */
export const HNSWLIB_NODE_NATIVE: System = {
  name: 'hnswlib-node -march=native',
  isBeside: true,
  build: async (set) => build(set, requireFrom(builtForThisMachine())),
};

const NATIVE_FOLDER = fileURLToPath(new URL('../.cache/node_modules/hnswlib-node/', import.meta.url));

/** A copy of the package beside the packages that it needs, compiled with other flags. */
function builtForThisMachine(): string {
  const original = peerFolder('hnswlib-node');
  if (!existsSync(NATIVE_FOLDER)) {
    for (const name of ['hnswlib-node', 'node-addon-api', 'bindings', 'file-uri-to-path']) {
      cpSync(peerFolder(name), join(NATIVE_FOLDER, '..', name), { recursive: true });
    }
    rmSync(join(NATIVE_FOLDER, 'build'), { recursive: true, force: true });
  }
  return built(NATIVE_FOLDER, { CXXFLAGS: '-O3 -march=native' }, original);
}

/**
 * Compiles the package if that was not done. node-gyp gets Node's headers from where the system's Node is installed,
 * if they are there, so that nothing is downloaded; the addon uses Node-API, which is the same for all versions.
 */
function built(folder: string, environment: Readonly<Record<string, string>>, versionsOf: string = folder): string {
  const addon = join(folder, 'build', 'Release', 'addon.node');
  if (existsSync(addon) && statSync(addon).size > 0) return folder;
  const prefix = headersPrefix();
  const { status, stderr, error } = spawnSync('npm', ['exec', '--yes', '--', 'node-gyp', 'rebuild'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...(prefix === undefined ? {} : { npm_config_nodedir: prefix }), ...environment },
  });
  if (status === 0 && existsSync(addon)) return folder;
  throw new Error(`${versionsOf} could not be compiled: ${error?.message ?? stderr.split('\n').slice(-15).join('\n')}`);
}

/** Where `include/node` lies beside the `bin` of a Node on the PATH. */
function headersPrefix(): string | undefined {
  const places = [process.execPath, ...(process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'node'))];
  return places
    .map((place) => dirname(dirname(place)))
    .find((prefix) => existsSync(join(prefix, 'include', 'node', 'node_api.h')));
}

async function build(set: DataSet, { HierarchicalNSW }: HnswlibModule): Promise<BuiltIndex> {
  // It takes arrays of numbers alone; they are made before the clock starts.
  const prepared = (vectors: Float32Array) =>
    views(set.metric === 'COSINE' ? unitVectors(vectors, set.dimension) : vectors, set.dimension).map((vector) =>
      Array.from(vector),
    );
  const create = () => new HierarchicalNSW(set.metric === 'COSINE' ? 'ip' : 'l2', set.dimension);
  const rows = prepared(set.rows);
  const queries = prepared(set.queries);
  const index = create();
  const { M: m, efConstruction, seed: randomSeed } = BUILD;
  index.initIndex({ maxElements: set.size, m, efConstruction, randomSeed });
  const buildSeconds = await secondsOf(() => {
    for (let row = 0; row < set.size; row++) index.addPoint(rows[row]!, row);
  });
  let ef = 0;
  return {
    ...inProcess(set, (query, knob) => {
      if (knob !== ef) index.setEf(knob);
      ef = knob;
      return index.searchKnn(queries[query]!, LIMIT).neighbors;
    }),
    buildSeconds,
    memoryBytes: undefined,
    save: () => save(index, create, queries[0]!),
    async free() {},
  };
}

async function save(index: HnswlibIndex, create: () => HnswlibIndex, query: readonly number[]): Promise<SavedIndex> {
  const folder = mkdtempSync(join(tmpdir(), 'elanus-bench-'));
  const path = join(folder, 'saved.hnsw');
  index.writeIndexSync(path);
  return {
    bytes: statSync(path).size,
    load: () =>
      secondsOf(() => {
        const other = create();
        other.readIndexSync(path);
        other.searchKnn(query, LIMIT);
      }),
    remove: async () => rmSync(folder, { recursive: true }),
  };
}
