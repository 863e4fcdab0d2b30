import { type IndexType, VectorIndex, type VectorIndexOptions } from '../../../wasm/index.ts';
import { type DataSet, LIMIT } from '../data-set.ts';
import { BUILD, type BuiltIndex, inProcess, secondsOf, views } from '../system.ts';

/** The builds of the core. */
export type CoreBuild = 'simd' | 'relaxed';

/** One setting of ours. */
export interface Setting {
  readonly type: IndexType;
  readonly build: CoreBuild;
  /**
   * Where the exact vectors are that the last candidates are ranked by: in the index's memory, whose bytes include
   * them; or with the caller, who hands them in from what was read from a file, and whose bytes do not count.
   */
  readonly exact: 'memory' | 'file';
}

/** More than any set of the bench takes: what is measured is what is used. */
export const BYTES_MAX = 3 * 2 ** 30;

/** What the tables call it. */
export function nameOf({ type, build, exact }: Setting): string {
  return `Elanus ${type}${exact === 'file' ? ', vectors in a file' : ''} (${build === 'simd' ? 'SIMD128' : build})`;
}

/** What runs in a page, whose browser has the relaxed instructions. */
export const PAGE_SETTINGS: readonly Setting[] = (['HNSW', 'HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'] as const).map(
  (type) => ({ type, build: 'relaxed', exact: 'memory' }),
);

/** How the host gets at the core: what `VectorIndex.create` takes. */
export type CoreSource = Pick<VectorIndexOptions, 'module' | 'wasmUrl'>;

/** What a search is given beside its query. */
export interface Handed {
  readonly refine?: (ids: ArrayLike<number>) => Float32Array;
}

/** Builds an index of ours, in any host. */
export async function buildElanus(
  set: DataSet,
  { type, exact }: Setting,
  source: CoreSource,
): Promise<{ built: BuiltIndex; index: VectorIndex; handed: Handed }> {
  const index = await VectorIndex.create({
    type,
    metric: set.metric,
    dimension: set.dimension,
    exact: exact === 'file' ? 'none' : 'memory',
    ...BUILD,
    maxBytes: BYTES_MAX,
    ...source,
  });
  const buildSeconds = await secondsOf(async () => {
    index.add(set.rows);
    await index.build();
  });
  const queries = views(set.queries, set.dimension);
  const handed: Handed = exact === 'file' ? { refine: vectorsOf(set) } : {};
  const built: BuiltIndex = {
    ...inProcess(set, (query, ef) => index.search(queries[query]!, { limit: LIMIT, ef, ...handed }).ids),
    buildSeconds,
    memoryBytes: index.bytes,
    free: async () => index.free(),
  };
  return { built, index, handed };
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
