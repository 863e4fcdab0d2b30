/**
 * The same scan in plain JavaScript, as one would write it for speed: one typed array, four sums, rows of length 1 so
 * that the cosine is an inner product, and a sorted list of the best that few rows enter.
 */
export class JavaScriptScan {
  readonly #dimension: number;
  readonly #rows: Float32Array;

  constructor(rows: Float32Array, dimension: number) {
    this.#dimension = dimension;
    this.#rows = rows.slice();
    for (let start = 0; start < rows.length; start += dimension) {
      normalize(this.#rows.subarray(start, start + dimension));
    }
  }

  /** The rows with the largest cosines, largest first. */
  search(query: Float32Array, limit: number): { rows: Uint32Array; distances: Float32Array } {
    const dimension = this.#dimension;
    const rows = this.#rows;
    const unit = normalize(query.slice());
    const bestRows = new Uint32Array(limit);
    const best = new Float32Array(limit).fill(Number.NEGATIVE_INFINITY);
    let threshold = Number.NEGATIVE_INFINITY;
    const whole = dimension - (dimension % 4);
    for (let row = 0, start = 0; start < rows.length; row++, start += dimension) {
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      let index = 0;
      for (; index < whole; index += 4) {
        sum0 += unit[index]! * rows[start + index]!;
        sum1 += unit[index + 1]! * rows[start + index + 1]!;
        sum2 += unit[index + 2]! * rows[start + index + 2]!;
        sum3 += unit[index + 3]! * rows[start + index + 3]!;
      }
      for (; index < dimension; index++) sum0 += unit[index]! * rows[start + index]!;
      const cosine = sum0 + sum2 + (sum1 + sum3);
      if (cosine <= threshold) continue;
      let place = limit - 1;
      for (; place > 0 && best[place - 1]! < cosine; place--) {
        best[place] = best[place - 1]!;
        bestRows[place] = bestRows[place - 1]!;
      }
      best[place] = cosine;
      bestRows[place] = row;
      threshold = best[limit - 1]!;
    }
    return { rows: bestRows, distances: best };
  }
}

function normalize(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const inverse = sum === 0 ? 0 : 1 / Math.sqrt(sum);
  for (let index = 0; index < vector.length; index++) vector[index]! *= inverse;
  return vector;
}
