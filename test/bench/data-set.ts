/** As many neighbours as every search of the bench asks for. */
export const LIMIT = 10;

/** Rows to index, queries, and the rows that an exact search finds. */
export interface DataSet {
  readonly name: string;
  readonly metric: 'L2' | 'COSINE';
  readonly dimension: number;
  readonly size: number;
  /** As they came: of any length for COSINE. */
  readonly rows: Float32Array;
  readonly queries: Float32Array;
  readonly queryCount: number;
  /** The `LIMIT` nearest rows of each query, nearest first. */
  readonly truth: Int32Array;
}

/** A copy of the vectors with length 1, for peers that know inner products but no cosines; zero vectors stay. */
export function unitVectors(vectors: Float32Array, dimension: number): Float32Array {
  const unit = new Float32Array(vectors.length);
  for (let start = 0; start < vectors.length; start += dimension) {
    let sum = 0;
    for (let index = start; index < start + dimension; index++) sum += vectors[index]! ** 2;
    const factor = sum === 0 ? 0 : 1 / Math.sqrt(sum);
    for (let index = start; index < start + dimension; index++) unit[index] = vectors[index]! * factor;
  }
  return unit;
}
