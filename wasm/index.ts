/** `elanus/vector`: vector indexes in the WASM core, and the core itself for hosts that load the module themselves. */
export type { IndexSpec, IndexType } from '../core/vector/segment-index.ts';
export { compileModule } from './compile.ts';
export { relaxedSimdSupported } from './detect.ts';
export { createKernel, type KernelOptions } from './kernel.ts';
export type { ModuleOptions } from './module.ts';
export { type SaveOptions, VectorIndex } from './vector-index.ts';
export type { BuildOptions, BuildProgress } from './vector-index-build.ts';
export type { SearchCursor } from './vector-index-cursor.ts';
export type { FromHnswlibOptions, ToHnswlibOptions } from './vector-index-hnswlib.ts';
export type { GivenIds, IdArray } from './vector-index-ids.ts';
export type {
  AsyncSearchOptions,
  RangeOptions,
  RowOptions,
  SearchOptions,
  VectorIndexOptions,
} from './vector-index-options.ts';
export type { SearchManyResult, SearchResult, VectorIn, VectorsIn } from './vector-index-search.ts';
export { VectorMemory, type VectorMemoryOptions } from './vector-memory.ts';
export type { AddOptions, WorkerCursor, WorkerIndexOptions, WorkerVectorIndex } from './worker-vector-index.ts';
