import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IndexType, VectorIndex } from '../../../wasm/index.ts';
import { nodeModule, WASM_BUILDS, type WasmBuild } from '../../node/kernel.ts';
import { type DataSet, LIMIT } from '../data-set.ts';
import { BUILD, type BuiltIndex, inProcess, type SavedIndex, type System, secondsOf, views } from '../system.ts';

/** One setting of ours. */
export interface Setting {
  readonly type: IndexType;
  readonly build: WasmBuild;
  /**
   * Where the exact vectors are that the last candidates are ranked by: in the index's memory, whose bytes include
   * them; or with the caller, who hands them in from what was read from a file, and whose bytes do not count.
   */
  readonly exact: 'memory' | 'file';
}

/** More than any set of the bench takes: what is measured is what is used. */
const BYTES_MAX = 3 * 2 ** 30;

/** What the tables call it. */
export function nameOf({ type, build, exact }: Setting): string {
  return `Elanus ${type}${exact === 'file' ? ', vectors in a file' : ''} (${build === 'simd' ? 'SIMD128' : build})`;
}

/** Everything that is judged, on the best build of this machine, and what the SIMD128 build is shown beside it with. */
export const SETTINGS: readonly Setting[] = WASM_BUILDS.toReversed().flatMap((build, place): Setting[] => {
  const types = ['HNSW', 'HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'] as const;
  if (place > 0) return types.slice(0, 3).map((type) => ({ type, build, exact: 'memory' }));
  const coded = types.slice(1);
  return [
    ...types.map((type): Setting => ({ type, build, exact: 'memory' })),
    ...coded.map((type): Setting => ({ type, build, exact: 'file' })),
  ];
});

/** A setting of ours as a system of the bench. */
export function elanus(setting: Setting): System {
  return { name: nameOf(setting), build: (set) => build(set, setting) };
}

async function build(set: DataSet, { type, build, exact }: Setting): Promise<BuiltIndex> {
  const module = await nodeModule(build);
  const index = await VectorIndex.create({
    type,
    metric: set.metric,
    dimension: set.dimension,
    exact: exact === 'file' ? 'none' : 'memory',
    ...BUILD,
    maxBytes: BYTES_MAX,
    module,
  });
  const buildSeconds = await secondsOf(async () => {
    index.add(set.rows);
    await index.build();
  });
  const queries = views(set.queries, set.dimension);
  const handed = exact === 'file' ? { refine: vectorsOf(set) } : {};
  return {
    ...inProcess(set, (query, ef) => index.search(queries[query]!, { limit: LIMIT, ef, ...handed }).ids),
    buildSeconds,
    memoryBytes: index.bytes,
    save: () => save(index, module, queries[0]!, handed),
    free: async () => index.free(),
  };
}

/** The exact vectors of ids, from where a file was read to: outside of the index. */
function vectorsOf({ rows, dimension }: DataSet): (ids: ArrayLike<number>) => Float32Array {
  return (ids) => {
    const vectors = new Float32Array(ids.length * dimension);
    for (let at = 0; at < ids.length; at++) {
      const start = ids[at]! * dimension;
      vectors.set(rows.subarray(start, start + dimension), at * dimension);
    }
    return vectors;
  };
}

async function save(
  index: VectorIndex,
  module: WebAssembly.Module,
  query: Float32Array,
  handed: { refine?: (ids: ArrayLike<number>) => Float32Array },
): Promise<SavedIndex> {
  const folder = mkdtempSync(join(tmpdir(), 'elanus-bench-'));
  const path = join(folder, 'saved.elanus');
  const bytes = index.save();
  writeFileSync(path, bytes);
  return {
    bytes: bytes.byteLength,
    path,
    load: async () => {
      let loaded: VectorIndex | undefined;
      const seconds = await secondsOf(async () => {
        loaded = await VectorIndex.load(readFileSync(path), { maxBytes: BYTES_MAX, module });
        loaded.search(query, { limit: LIMIT, ef: LIMIT, ...handed });
      });
      loaded?.free();
      return seconds;
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}
