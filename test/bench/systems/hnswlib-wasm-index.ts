import { type DataSet, LIMIT, unitVectors } from '../data-set.ts';
import { BUILD, type BuiltIndex, inProcess, secondsOf, views } from '../system.ts';

/** What this bench uses of hnswlib-wasm. */
export interface HnswlibIndex {
  initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void;
  addPoints(items: readonly Float32Array[], labels: readonly number[], replaceDeleted: boolean): void;
  searchKnn(query: Float32Array, limit: number, filter: undefined): { neighbors: number[] };
  setEfSearch(ef: number): void;
  writeIndex(name: string): Promise<boolean>;
  readIndex(name: string, maxElements: number): Promise<boolean>;
  delete(): void;
}
export interface HnswlibModule {
  readonly HierarchicalNSW: new (space: 'l2' | 'ip', dimension: number, autoSaveName: string) => HnswlibIndex;
}
export interface HnswlibPackage {
  loadHnswlib(): Promise<HnswlibModule>;
  syncFileSystem(action: 'read' | 'write'): Promise<void>;
}

/**
 * Builds an index of hnswlib-wasm, in any host. COSINE is its inner product of vectors that were brought to length 1
 * before.
 */
export async function buildHnswlib(
  set: DataSet,
  { HierarchicalNSW }: HnswlibModule,
): Promise<{ built: BuiltIndex; index: HnswlibIndex }> {
  const prepared = (vectors: Float32Array) => (set.metric === 'COSINE' ? unitVectors(vectors, set.dimension) : vectors);
  const rows = views(prepared(set.rows), set.dimension);
  const queries = views(prepared(set.queries), set.dimension);
  const labels = rows.map((_, row) => row);
  const index = new HierarchicalNSW(set.metric === 'COSINE' ? 'ip' : 'l2', set.dimension, '');
  index.initIndex(set.size, BUILD.M, BUILD.efConstruction, BUILD.seed);
  const buildSeconds = await secondsOf(() => index.addPoints(rows, labels, false));
  let ef = 0;
  const built: BuiltIndex = {
    ...inProcess(set, (query, knob) => {
      if (knob !== ef) index.setEfSearch(knob);
      ef = knob;
      return index.searchKnn(queries[query]!, LIMIT, undefined).neighbors;
    }),
    buildSeconds,
    // As in `hnswlib.cpp`, with pointers of 4 bytes and labels of 4: its levels are all that is estimated.
    memoryBytes: hnswlibBytes(set.size, set.dimension),
    memoryNote: 'by the formula of its header',
    free: async () => index.delete(),
  };
  return { built, index };
}

/** Vector, label, links of level 0, and per row a pointer, a level, a visited mark; upper levels hold 1 / (M - 1). */
function hnswlibBytes(size: number, dimension: number): number {
  const upper = ((BUILD.M + 1) * 4) / (BUILD.M - 1);
  return Math.round(size * (4 * dimension + 4 + (2 * BUILD.M + 1) * 4 + 4 + 4 + 2 + upper));
}
