import type { Random } from '../../core/base/random.ts';
import { nearestRows } from './neighbours.ts';
import { type Matrix, principalCoordinates } from './principal-axes.ts';

/** Axes in which neighbours are looked for. */
const AXES = 16;
const NEIGHBOURS = 8;
const EPOCHS = 90;
/** Rows that push a row away for each neighbour that pulls it. */
const PUSHES = 4;
/** No step is longer than this. */
const STEP_MAX = 4;
/** The first picture is this wide; after it, only what is near whom counts. */
const WIDTH = 20;

/**
 * Places for vectors on a plane: first along their two axes of largest variance, then, epoch by epoch, with each
 * vector's nearest ones pulled to it and others, picked by chance, pushed away (the method of LargeVis: Tang and others,
 * 2016, without its weights). Near on the plane means near in space; far on the plane says little.
 *
 * Yields `x, y` of each row, the same array each time: at first, and after every tenth epoch. The same rows and source
 * of chance give the same places.
 */
export function* layOut(matrix: Matrix, random: Random): Generator<Float32Array> {
  const coordinates = principalCoordinates(matrix, AXES, random);
  const places = firstPlaces(coordinates);
  yield places;
  if (matrix.rows < 3) return;
  const nearest = nearestRows(coordinates, NEIGHBOURS);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    refine(places, nearest, 1 - epoch / EPOCHS, random);
    if (epoch % 10 === 9) yield places;
  }
}

function firstPlaces({ values, rows, dimension }: Matrix): Float32Array {
  const places = new Float32Array(rows * 2);
  let widest = 0;
  for (let row = 0; row < rows; row++) {
    places[row * 2] = values[row * dimension] as number;
    places[row * 2 + 1] = dimension > 1 ? (values[row * dimension + 1] as number) : 0;
    widest = Math.max(widest, Math.abs(places[row * 2] as number), Math.abs(places[row * 2 + 1] as number));
  }
  const scale = widest === 0 ? 0 : WIDTH / 2 / widest;
  for (let at = 0; at < places.length; at++) places[at] = (places[at] as number) * scale;
  return places;
}

/** One epoch of stochastic gradient steps, each of at most `rate` times `STEP_MAX`. */
function refine(places: Float32Array, nearest: Uint32Array, rate: number, random: Random): void {
  const rows = places.length / 2;
  const each = nearest.length / rows;
  for (let row = 0; row < rows; row++) {
    for (let at = row * each; at < (row + 1) * each; at++) {
      pull(places, row, nearest[at] as number, rate);
      for (let push = 0; push < PUSHES; push++) pushAway(places, row, random() % rows, rate);
    }
  }
}

/** Both go to each other, by the gradient of log 1/(1 + d²). */
function pull(places: Float32Array, a: number, b: number, rate: number): void {
  const x = (places[a * 2] as number) - (places[b * 2] as number);
  const y = (places[a * 2 + 1] as number) - (places[b * 2 + 1] as number);
  const strength = -2 / (1 + x * x + y * y);
  const stepX = clip(strength * x) * rate;
  const stepY = clip(strength * y) * rate;
  move(places, a, stepX, stepY);
  move(places, b, -stepX, -stepY);
}

/** The first leaves the second, by the gradient of log 1 − 1/(1 + d²). */
function pushAway(places: Float32Array, a: number, b: number, rate: number): void {
  if (a === b) return;
  const x = (places[a * 2] as number) - (places[b * 2] as number);
  const y = (places[a * 2 + 1] as number) - (places[b * 2 + 1] as number);
  const square = x * x + y * y;
  const strength = 2 / ((0.01 + square) * (1 + square));
  move(places, a, clip(strength * x) * rate, clip(strength * y) * rate);
}

function move(places: Float32Array, row: number, x: number, y: number): void {
  places[row * 2] = (places[row * 2] as number) + x;
  places[row * 2 + 1] = (places[row * 2 + 1] as number) + y;
}

function clip(step: number): number {
  return Math.max(-STEP_MAX, Math.min(STEP_MAX, step));
}

/**
 * Places scaled into the unit square, each axis by itself. The few outermost points are drawn at the edge, so that a
 * stray one does not press all the others together.
 */
export function fitUnitSquare(places: Float32Array): Float32Array {
  const [left, right] = bounds(places, 0);
  const [top, bottom] = bounds(places, 1);
  const fitted = new Float32Array(places.length);
  for (let at = 0; at < places.length; at += 2) {
    fitted[at] = inUnit(((places[at] as number) - left) / (right - left || 1));
    fitted[at + 1] = inUnit(((places[at + 1] as number) - top) / (bottom - top || 1));
  }
  return fitted;
}

function bounds(places: Float32Array, axis: 0 | 1): [number, number] {
  const sorted = places.filter((_, at) => at % 2 === axis).sort();
  const edge = Math.floor(sorted.length * 0.002);
  return [sorted[edge] ?? 0, sorted[sorted.length - 1 - edge] ?? 0];
}

function inUnit(value: number): number {
  return Math.max(0, Math.min(1, value));
}
