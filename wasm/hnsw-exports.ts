import type { KernelMemory } from './memory.ts';

/** What the module exports for HNSW: see README.md. Addresses and sizes are unsigned, and arrive signed. */
export interface HnswExports {
  hnswCreate(
    dimension: number,
    metric: number,
    bits: number,
    keepsExact: number,
    M: number,
    efConstruction: number,
    seed: bigint,
  ): number;
  hnswFree(index: number): void;
  hnswReserve(index: number, count: number): number;
  hnswExactAt(index: number, row: number): number;
  hnswAppend(index: number, count: number): void;
  hnswBuild(index: number, count: number): number;
  hnswEncode(index: number): void;
  hnswReserveRemoved(index: number): number;
  hnswRemove(index: number, row: number): number;
  hnswBeamBytes(ef: number): number;
  hnswBitmapBytes(index: number): number;
  hnswSearch(
    index: number,
    queries: number,
    count: number,
    stride: number,
    limit: number,
    ef: number,
    refineK: number,
    allow: number,
    beam: number,
    heap: number,
    targetRows: number,
    targetScores: number,
    targetCounts: number,
  ): number;
  hnswOpenCursor(index: number, vector: number, allow: number): number;
  hnswCloseCursor(cursor: number): void;
  hnswNext(
    cursor: number,
    count: number,
    ef: number,
    refineK: number,
    beam: number,
    heap: number,
    targetRows: number,
    targetScores: number,
  ): number;
  hnswTable(index: number, which: number): number;
  hnswPart(index: number, which: number): number;
  hnswReadState(index: number, target: number): void;
  hnswRestore(index: number, state: number): number;
  hnswIsSound(index: number): number;
}

export function hnswExports(memory: KernelMemory): HnswExports {
  return memory.exports as unknown as HnswExports;
}
