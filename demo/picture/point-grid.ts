/** Cells along each side of the unit square: some five points lie in one of ten thousand. */
const CELLS = 48;

/** Points in the unit square, found by where they are. */
export class PointGrid {
  readonly #places: Float32Array;
  readonly #cells: number[][] = Array.from({ length: CELLS * CELLS }, () => []);

  /** @param places `x, y` of each point, 0 to 1 */
  constructor(places: Float32Array) {
    this.#places = places;
    for (let point = 0; point < places.length / 2; point++) {
      this.#cells[cellOf(this.#x(point)) + CELLS * cellOf(this.#y(point))]?.push(point);
    }
  }

  /** The point nearest to a place, no farther than `reach`; undefined if there is none. */
  nearest(x: number, y: number, reach: number): number | undefined {
    let best: number | undefined;
    let bestSquare = reach * reach;
    for (let row = cellOf(y - reach); row <= cellOf(y + reach); row++) {
      for (let column = cellOf(x - reach); column <= cellOf(x + reach); column++) {
        for (const point of this.#cells[column + CELLS * row] ?? []) {
          const square = (this.#x(point) - x) ** 2 + (this.#y(point) - y) ** 2;
          if (square > bestSquare) continue;
          best = point;
          bestSquare = square;
        }
      }
    }
    return best;
  }

  /**
   * The next point from one in a direction: near it, and more ahead than aside. The one itself if nothing is there, so
   * that arrow keys stop at the edge.
   */
  next(from: number, dx: number, dy: number): number {
    let best = from;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let point = 0; point < this.#places.length / 2; point++) {
      const x = this.#x(point) - this.#x(from);
      const y = this.#y(point) - this.#y(from);
      const ahead = x * dx + y * dy;
      const aside = Math.abs(x * dy - y * dx);
      if (point === from || ahead <= 0 || aside > ahead) continue;
      const cost = ahead + 2 * aside;
      if (cost >= bestCost) continue;
      best = point;
      bestCost = cost;
    }
    return best;
  }

  #x(point: number): number {
    return this.#places[point * 2] as number;
  }

  #y(point: number): number {
    return this.#places[point * 2 + 1] as number;
  }
}

function cellOf(value: number): number {
  return Math.max(0, Math.min(CELLS - 1, Math.floor(value * CELLS)));
}
