/** What the module exports; wasm/README.md describes each. */
export { allocate, limit, release, usedBytes } from './memory';
export { inverseNorms, normalize } from './norms';
export { clearHeap, drainHeap, heapBytes } from './top-k';
export { scan } from './flat';
export { distances } from './distance';
export { decodeElements, encodeElements } from './encode';
export {
  hnswAppend, hnswBuild, hnswCreate, hnswEncode, hnswExactAt, hnswFree, hnswRemove, hnswReserve, hnswReserveRemoved,
} from './hnsw-index';
export { hnswBeamBytes, hnswBitmapBytes, hnswSearch } from './hnsw-query';
export { foldChecksum } from './fold';
export { hnswIsSound, hnswPart, hnswReadState, hnswRestore, hnswTable } from './hnsw-state';
export { hnswCloseCursor, hnswNext, hnswOpenCursor } from './hnsw-cursor';
export * from './ivf-door';
