import { ElanusError } from '../core/base/error.ts';
import type { HnswGraph } from '../core/vector/hnsw-graph.ts';
import type { HnswlibLayout } from '../core/vector/hnswlib-header.ts';
import { readHnswlib } from '../core/vector/hnswlib-reader.ts';
import { writeHnswlib } from '../core/vector/hnswlib-writer.ts';
import type { IndexType, SavedIndex, SegmentIndex } from '../core/vector/segment-index.ts';
import { graphOfSaved } from './hnsw-export.ts';
import { savedOfGraph } from './hnsw-import.ts';
import { RowSet } from './row-set.ts';
import { RowIds } from './vector-index-ids.ts';
import { checkMemoryOptions, specOf } from './vector-index-options.ts';
import type { VectorMemory, VectorMemoryOptions } from './vector-memory.ts';

/** How a file of hnswlib is opened. */
export interface FromHnswlibOptions extends VectorMemoryOptions {
  /** Of hnswlib's space, which the file does not say: `L2` for `l2`, `IP` for `ip`, `COSINE` for `cosine`. */
  readonly metric: 'L2' | 'IP' | 'COSINE';
  /** Values of a vector; it must be that of the file. */
  readonly dimension: number;
  /** What the graph is traversed on: exact vectors, or codes, which are made at once. Default: `HNSW`. */
  readonly type?: Extract<IndexType, `HNSW${string}`>;
  /** Whether exact vectors stay in memory beside codes. Default: `memory`. */
  readonly exact?: 'memory' | 'none';
  /** A memory that is shared with others, in place of one of its own of `maxBytes`. */
  readonly memory?: VectorMemory;
}

/** How a file of hnswlib is written. */
export interface ToHnswlibOptions {
  /** `'64'` for hnswlib in C++, Python and Node; `'32'` for hnswlib-wasm. */
  readonly layout: HnswlibLayout;
  /** Elements that hnswlib makes room for when it loads the file without being told a number. Default: those there are. */
  readonly maxElements?: number;
}

const METRICS: readonly string[] = ['L2', 'IP', 'COSINE'];
const TYPES: readonly string[] = ['HNSW', 'HNSW_SQ8', 'HNSW_SQ4', 'HNSW_RABITQ'];

/** The parts of a `VectorIndex` that a file of hnswlib holds. Throws what `VectorIndex.fromHnswlib` says. */
export function partsOfHnswlib(
  bytes: Uint8Array,
  options: FromHnswlibOptions,
): { saved: SavedIndex; ids: RowIds; removed: RowSet } {
  const { metric, dimension, type = 'HNSW', exact = 'memory', ...memoryOptions } = options;
  checkMemoryOptions(memoryOptions, 'VectorIndex.fromHnswlib');
  if (!(bytes instanceof Uint8Array)) throw new ElanusError('invalid', 'VectorIndex.fromHnswlib takes a Uint8Array.');
  if (!METRICS.includes(metric)) {
    throw new ElanusError('invalid', `metric is ${String(metric)}; of a graph it is L2, IP or COSINE.`, {
      details: { option: 'metric' },
    });
  }
  if (!TYPES.includes(type)) {
    throw new ElanusError('invalid', `type is ${String(type)}; a file of hnswlib is opened as ${TYPES.join(', ')}.`, {
      details: { option: 'type' },
    });
  }
  const spec = specOf({ type, metric, dimension, exact });
  const { graph } = readHnswlib(bytes, { dimension });
  const ids = new RowIds();
  ids.append(areRows(graph.labels) ? undefined : graph.labels, graph.size);
  const removed = new RowSet();
  for (const row of graph.deleted) removed.add(row);
  return { saved: savedOfGraph(graph, spec), ids, removed };
}

/** A file of hnswlib with an index of type HNSW. Throws what `VectorIndex.toHnswlib` says. */
export function hnswlibOfParts(
  { index, ids, removed }: { readonly index: SegmentIndex; readonly ids: RowIds; readonly removed: RowSet },
  options: ToHnswlibOptions,
): Uint8Array<ArrayBuffer> {
  const { layout, maxElements } = options;
  for (const name in options) {
    if (name !== 'layout' && name !== 'maxElements') {
      throw new ElanusError('invalid', `toHnswlib has no option ${name}.`, { details: { option: name } });
    }
  }
  if (layout !== '64' && layout !== '32') {
    throw new ElanusError('invalid', `layout is ${String(layout)}; it is '64', or '32' for hnswlib-wasm.`, {
      details: { option: 'layout' },
    });
  }
  const rows = Uint32Array.from({ length: index.size }, (_, row) => row);
  const labels = ids.idsOf(rows);
  const negative = (labels as Float64Array).find((id) => id < 0);
  if (negative !== undefined) {
    throw new ElanusError('invalid', `The id ${negative} is negative, and the labels of hnswlib have no sign.`);
  }
  const graph = graphOfSaved(index.save(), { labels, deleted: rows.filter((row) => removed.has(row)) });
  return writeHnswlib(graph, maxElements === undefined ? { layout } : { layout, maxElements });
}

/** Whether labels are what ids are by default: 0, 1, 2 … */
function areRows(labels: HnswGraph['labels']): boolean {
  return labels instanceof Float64Array && labels.every((label, row) => label === row);
}
