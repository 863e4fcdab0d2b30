import { expose, type ProxyMarked, transfer } from 'comlink';
import { seededRandom } from '../../core/base/random.ts';
import { fitUnitSquare, layOut } from './layout.ts';

const SEED = 2016;

/** Lays vectors out on a plane, away from the page. */
class PictureWorker {
  #pieces: Float32Array[] = [];
  #dimension = 0;
  #attempt = 0;

  /** Begins anew; a layout under way is given up. */
  begin(dimension: number): void {
    this.#attempt++;
    this.#pieces = [];
    this.#dimension = dimension;
  }

  /** Vectors, one after the other. */
  add(vectors: Float32Array): void {
    this.#pieces.push(vectors);
  }

  /**
   * Lays out what was added. `onPlaces` gets `x, y` of each vector in the unit square, first a rough picture, then better
   * ones. Resolves with whether it got to the end; another `begin` stops it.
   */
  async layOut(onPlaces: ((places: Float32Array) => void) & ProxyMarked): Promise<boolean> {
    const attempt = this.#attempt;
    const length = this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
    const values = new Float32Array(length);
    let at = 0;
    for (const piece of this.#pieces) {
      values.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    const matrix = { values, rows: length / this.#dimension, dimension: this.#dimension };
    for (const places of layOut(matrix, seededRandom(SEED))) {
      const fitted = fitUnitSquare(places);
      // Waiting for the page lets a newer `begin` be heard.
      await onPlaces(transfer(fitted, [fitted.buffer as ArrayBuffer]));
      if (attempt !== this.#attempt) return false;
    }
    return true;
  }
}

export type { PictureWorker };

expose(new PictureWorker());
