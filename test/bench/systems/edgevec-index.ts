import { type DataSet, LIMIT, unitVectors } from '../data-set.ts';
import { BUILD, type BuiltIndex, inProcess, secondsOf, views } from '../system.ts';

/** What this bench uses of EdgeVec. */
interface EdgeVecIndex {
  insertBatchFlat(vectors: Float32Array, count: number): Uint32Array;
  search(query: Float32Array, limit: number): readonly { readonly id: number }[];
  memoryUsage(): number;
  save_stream(): { next_chunk(): Uint8Array | undefined };
  free(): void;
}
interface EdgeVecConfig {
  metric: string;
  m: number;
  m0: number;
  ef_construction: number;
  ef_search: number;
}
export interface EdgeVecPackage {
  readonly EdgeVecConfig: new (dimension: number) => EdgeVecConfig;
  readonly EdgeVec: new (config: EdgeVecConfig) => EdgeVecIndex;
  initSync(options: { module: Uint8Array }): void;
}

/**
 * EdgeVec: Rust in WebAssembly. The nodes that a search keeps in view are fixed when an index is made, and a saved
 * index cannot be opened under another number: so each point of the sweep is an index of its own, and there are few.
 * Its cosine (0.9.0) finds none of the nearest, so COSINE is L2 of vectors of length 1, which orders alike.
 */
export const EDGEVEC_KNOBS: readonly number[] = [12, 60];

/** Builds indexes of EdgeVec, in any host. */
export async function buildEdgeVec(set: DataSet, edgevec: EdgeVecPackage): Promise<BuiltIndex> {
  const prepared = (vectors: Float32Array) => (set.metric === 'COSINE' ? unitVectors(vectors, set.dimension) : vectors);
  const rows = prepared(set.rows);
  const built = new Map<number, Built>();
  const at = (ef: number): Built => {
    const known = built.get(ef) ?? buildOne(edgevec, set, rows, ef);
    built.set(ef, known);
    return known;
  };
  const buildSeconds = await secondsOf(() => at(EDGEVEC_KNOBS[0]!));
  const { index } = at(EDGEVEC_KNOBS[0]!);
  const queries = views(prepared(set.queries), set.dimension);
  return {
    ...inProcess(set, (query, ef) => {
      const one = at(ef);
      return one.index.search(queries[query]!, LIMIT).map(({ id }) => id - one.first);
    }),
    buildSeconds,
    memoryBytes: index.memoryUsage(),
    memoryNote: 'as it says itself',
    // What it saves it cannot open again: the bytes are all there is to tell.
    async save() {
      const chunks = index.save_stream();
      let bytes = 0;
      for (let chunk = chunks.next_chunk(); chunk !== undefined; chunk = chunks.next_chunk()) {
        bytes += chunk.byteLength;
      }
      return { bytes, remove: async () => {} };
    },
    async free() {
      for (const one of built.values()) one.index.free();
    },
  };
}

interface Built {
  readonly index: EdgeVecIndex;
  /** The number of row 0. */
  readonly first: number;
}

function buildOne(
  { EdgeVec, EdgeVecConfig }: EdgeVecPackage,
  { dimension, size }: DataSet,
  rows: Float32Array,
  ef: number,
): Built {
  const config = Object.assign(new EdgeVecConfig(dimension), {
    metric: 'l2',
    m: BUILD.M,
    m0: 2 * BUILD.M,
    ef_construction: BUILD.efConstruction,
    ef_search: ef,
  });
  const index = new EdgeVec(config);
  return { index, first: index.insertBatchFlat(rows, size)[0]! };
}
