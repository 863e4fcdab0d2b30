import type { Random } from '../../core/base/random.ts';
import type { SparseMatrix } from './term-matrix.ts';

/** Directions beyond those asked for, which make the last of those asked for accurate. */
const OVERSAMPLING = 24;
/** Rounds of subspace iteration; each widens the gap between the directions that are kept and the rest. */
const ITERATIONS = 5;
/** Sweeps of Jacobi's method; it converges quadratically, seven or eight do for 150 columns. */
const SWEEPS_MAX = 30;

/** A dense matrix of doubles, column after column: the columns are what the steps below work on. */
interface Dense {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/**
 * The right singular vectors of the `rank` largest singular values: `columns × rank` values, row after row (one row for
 * each column of the matrix). Directions that the matrix does not have (a small corpus) are zero.
 *
 * Randomized subspace iteration: Halko, Martinsson and Tropp, "Finding structure with randomness", 2011, algorithm 4.4
 * and 5.1. The same matrix and the same chance give the same bits: only + − × ÷ and square roots, in a fixed order.
 */
export function rightSingularVectors(matrix: SparseMatrix, rank: number, random: Random): Float64Array {
  const width = Math.min(rank + OVERSAMPLING, matrix.rows, matrix.columns);
  let basis = orthonormalize(multiplyTransposed(matrix, randomSigns(matrix.rows, width, random)));
  for (let round = 0; round < ITERATIONS; round++) {
    basis = orthonormalize(multiplyTransposed(matrix, orthonormalize(multiply(matrix, basis))));
  }
  // The matrix is now small in the basis: its singular vectors there, turned back, are those of the whole.
  const rotation = rotationToSingularVectors(multiply(matrix, basis));
  const vectors = new Float64Array(matrix.columns * rank);
  for (const [target, source] of rotation.order.slice(0, rank).entries()) {
    for (let inner = 0; inner < width; inner++) {
      const factor = rotation.values[source * width + inner] ?? 0;
      const column = columnOf(basis, inner);
      for (let row = 0; row < matrix.columns; row++) {
        const at = row * rank + target;
        vectors[at] = (vectors[at] as number) + factor * (column[row] as number);
      }
    }
  }
  return vectors;
}

function columnOf(dense: Dense, column: number): Float64Array {
  return dense.values.subarray(column * dense.rows, (column + 1) * dense.rows);
}

function randomSigns(rows: number, columns: number, random: Random): Dense {
  const values = new Float64Array(rows * columns);
  for (const index of values.keys()) values[index] = random() & 1 ? 1 : -1;
  return { rows, columns, values };
}

/** matrix · dense */
function multiply(matrix: SparseMatrix, dense: Dense): Dense {
  const values = new Float64Array(matrix.rows * dense.columns);
  for (let column = 0; column < dense.columns; column++) {
    const source = columnOf(dense, column);
    for (let row = 0; row < matrix.rows; row++) {
      const end = matrix.rowStarts[row + 1] as number;
      let sum = 0;
      for (let at = matrix.rowStarts[row] as number; at < end; at++) {
        sum += (matrix.values[at] as number) * (source[matrix.columnOf[at] as number] as number);
      }
      values[column * matrix.rows + row] = sum;
    }
  }
  return { rows: matrix.rows, columns: dense.columns, values };
}

/** matrixᵀ · dense */
function multiplyTransposed(matrix: SparseMatrix, dense: Dense): Dense {
  const values = new Float64Array(matrix.columns * dense.columns);
  for (let column = 0; column < dense.columns; column++) {
    const source = columnOf(dense, column);
    const target = values.subarray(column * matrix.columns, (column + 1) * matrix.columns);
    for (let row = 0; row < matrix.rows; row++) {
      const factor = source[row] as number;
      const end = matrix.rowStarts[row + 1] as number;
      for (let at = matrix.rowStarts[row] as number; at < end; at++) {
        const index = matrix.columnOf[at] as number;
        target[index] = (target[index] as number) + factor * (matrix.values[at] as number);
      }
    }
  }
  return { rows: matrix.columns, columns: dense.columns, values };
}

/** Makes the columns orthonormal, in place; what depends on the columns before it becomes zero. */
function orthonormalize(dense: Dense): Dense {
  for (let column = 0; column < dense.columns; column++) {
    const own = columnOf(dense, column);
    const before = Math.sqrt(dot(own, own));
    // Gram-Schmidt twice is enough (Kahan, Parlett): once leaves errors as large as the columns are parallel.
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < column; other++) {
        const direction = columnOf(dense, other);
        subtract(own, direction, dot(own, direction));
      }
    }
    const length = Math.sqrt(dot(own, own));
    const scale = length > 1e-10 * before ? 1 / length : 0;
    for (let row = 0; row < own.length; row++) own[row] = (own[row] as number) * scale;
  }
  return dense;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}

function subtract(target: Float64Array, direction: Float64Array, factor: number): void {
  for (let index = 0; index < target.length; index++) {
    target[index] = (target[index] as number) - factor * (direction[index] as number);
  }
}

/**
 * The right singular vectors of a narrow matrix, as the eigenvectors of its Gram matrix by Jacobi's method: pairs of rows
 * and columns are turned until nothing is left beside the diagonal. `values` has a vector a row; `order` lists the rows
 * by falling singular value.
 */
function rotationToSingularVectors(dense: Dense): { readonly values: Float64Array; readonly order: number[] } {
  const width = dense.columns;
  const gram = new Float64Array(width * width);
  const turns = new Float64Array(width * width);
  for (let a = 0; a < width; a++) {
    turns[a * width + a] = 1;
    for (let b = 0; b < width; b++) gram[a * width + b] = dot(columnOf(dense, a), columnOf(dense, b));
  }
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) if (!sweepOnce(gram, turns, width)) break;
  const order = Array.from({ length: width }, (_, index) => index);
  order.sort((a, b) => (gram[b * width + b] as number) - (gram[a * width + a] as number) || a - b);
  return { values: turns, order };
}

/** One sweep of Jacobi's eigenvalue method over all pairs; false when nothing was left to turn. */
function sweepOnce(gram: Float64Array, turns: Float64Array, width: number): boolean {
  let turned = false;
  for (let a = 0; a < width - 1; a++) {
    for (let b = a + 1; b < width; b++) {
      const between = gram[a * width + b] as number;
      const first = gram[a * width + a] as number;
      const second = gram[b * width + b] as number;
      if (Math.abs(between) <= 1e-12 * Math.sqrt(Math.abs(first * second)) || between === 0) continue;
      turned = true;
      const ratio = (second - first) / (2 * between);
      const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1));
      const cosine = 1 / Math.sqrt(tangent * tangent + 1);
      const turn = { cosine, sine: cosine * tangent };
      turnRows(gram, width, a, b, turn);
      turnColumns(gram, width, a, b, turn);
      turnRows(turns, width, a, b, turn);
    }
  }
  return turned;
}

interface Turn {
  readonly cosine: number;
  readonly sine: number;
}

function turnRows(matrix: Float64Array, width: number, a: number, b: number, { cosine, sine }: Turn): void {
  for (let at = 0; at < width; at++) {
    const first = matrix[a * width + at] as number;
    const second = matrix[b * width + at] as number;
    matrix[a * width + at] = cosine * first - sine * second;
    matrix[b * width + at] = sine * first + cosine * second;
  }
}

function turnColumns(matrix: Float64Array, width: number, a: number, b: number, { cosine, sine }: Turn): void {
  for (let at = 0; at < width; at++) {
    const first = matrix[at * width + a] as number;
    const second = matrix[at * width + b] as number;
    matrix[at * width + a] = cosine * first - sine * second;
    matrix[at * width + b] = sine * first + cosine * second;
  }
}
