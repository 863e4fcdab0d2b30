import type { Random } from '../../core/base/random.ts';

/** Rows of equal length, one after the other. */
export interface Matrix {
  readonly values: Float32Array;
  readonly rows: number;
  readonly dimension: number;
}

/** Rows that the axes are found from; more change them little. */
const SAMPLE_ROWS = 2500;
const ITERATIONS = 10;

/**
 * The coordinates of all rows along the `count` axes of largest variance (principal component analysis; the axes by
 * subspace iteration: Halko, Martinsson and Tropp, 2011). Rows are scaled to length 1 first, as the cosine compares
 * them; a zero row stays zero. The same rows and the same source of chance give the same coordinates.
 */
export function principalCoordinates(input: Matrix, count: number, random: Random): Matrix {
  const matrix = centred(unitRows(input), input);
  const axes = findAxes(sampleOf(matrix), Math.min(count, matrix.dimension), random);
  return project(matrix, axes);
}

function unitRows({ values, rows, dimension }: Matrix): Float32Array {
  const unit = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const start = row * dimension;
    let sum = 0;
    for (let at = start; at < start + dimension; at++) sum += (values[at] as number) ** 2;
    const scale = sum === 0 ? 0 : 1 / Math.sqrt(sum);
    for (let at = start; at < start + dimension; at++) unit[at] = (values[at] as number) * scale;
  }
  return unit;
}

function centred(values: Float32Array, { rows, dimension }: Matrix): Matrix {
  const mean = new Float64Array(dimension);
  for (let at = 0; at < values.length; at++) {
    mean[at % dimension] = (mean[at % dimension] as number) + (values[at] as number);
  }
  for (let at = 0; at < values.length; at++) {
    values[at] = (values[at] as number) - (mean[at % dimension] as number) / rows;
  }
  return { values, rows, dimension };
}

/** Rows spread evenly over all. */
function sampleOf(matrix: Matrix): Matrix {
  if (matrix.rows <= SAMPLE_ROWS) return matrix;
  const { dimension } = matrix;
  const values = new Float32Array(SAMPLE_ROWS * dimension);
  for (let row = 0; row < SAMPLE_ROWS; row++) {
    const from = Math.floor((row * matrix.rows) / SAMPLE_ROWS) * dimension;
    values.set(matrix.values.subarray(from, from + dimension), row * dimension);
  }
  return { values, rows: SAMPLE_ROWS, dimension };
}

/** Axes as rows, orthogonal and of length 1. */
function findAxes(matrix: Matrix, count: number, random: Random): Matrix {
  const { dimension } = matrix;
  const axes: Matrix = { values: new Float32Array(count * dimension), rows: count, dimension };
  for (let at = 0; at < axes.values.length; at++) axes.values[at] = random() / 2 ** 31 - 1;
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    orthonormalize(axes);
    multiply(matrix, axes);
  }
  orthonormalize(axes);
  return axes;
}

/** Replaces each axis by the matrix's covariance applied to it. */
function multiply(matrix: Matrix, axes: Matrix): void {
  const { dimension } = matrix;
  const along = project(matrix, axes);
  axes.values.fill(0);
  for (let row = 0; row < matrix.rows; row++) {
    for (let axis = 0; axis < axes.rows; axis++) {
      const share = along.values[row * axes.rows + axis] as number;
      addScaled(axes.values, axis * dimension, matrix.values, row * dimension, dimension, share);
    }
  }
}

function project(matrix: Matrix, axes: Matrix): Matrix {
  const { dimension, rows } = matrix;
  const values = new Float32Array(rows * axes.rows);
  for (let row = 0; row < rows; row++) {
    for (let axis = 0; axis < axes.rows; axis++) {
      values[row * axes.rows + axis] = dot(matrix.values, row * dimension, axes.values, axis * dimension, dimension);
    }
  }
  return { values, rows, dimension: axes.rows };
}

/** Gram and Schmidt's method. An axis that the others span already becomes zero: there is no variance left for it. */
function orthonormalize({ values, rows, dimension }: Matrix): void {
  for (let axis = 0; axis < rows; axis++) {
    const start = axis * dimension;
    const before = dot(values, start, values, start, dimension);
    for (let other = 0; other < axis; other++) {
      const share = dot(values, start, values, other * dimension, dimension);
      addScaled(values, start, values, other * dimension, dimension, -share);
    }
    const square = dot(values, start, values, start, dimension);
    const scale = square <= before * 1e-10 || square === 0 ? 0 : 1 / Math.sqrt(square);
    for (let at = start; at < start + dimension; at++) values[at] = (values[at] as number) * scale;
  }
}

function dot(a: Float32Array, aAt: number, b: Float32Array, bAt: number, length: number): number {
  let sum = 0;
  for (let at = 0; at < length; at++) sum += (a[aAt + at] as number) * (b[bAt + at] as number);
  return sum;
}

function addScaled(
  target: Float32Array,
  targetAt: number,
  source: Float32Array,
  sourceAt: number,
  length: number,
  scale: number,
): void {
  for (let at = 0; at < length; at++) {
    target[targetAt + at] = (target[targetAt + at] as number) + scale * (source[sourceAt + at] as number);
  }
}
