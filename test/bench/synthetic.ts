import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom } from '../../core/base/random.ts';
import { nodeKernel } from '../node/kernel.ts';
import { type DataSet, LIMIT } from './data-set.ts';

/**
 * Vectors like those of texts: a few hundred topics of uneven size around one common direction, each spread along some
 * directions of its own and some that all share, on the sphere. The same on any machine: nothing but the seed, integer
 * arithmetic, sums and products of float64 makes them.
 */

/** What the shape is; the version names the cached truth, and changes with anything here. */
const SHAPE = {
  version: 2,
  size: 50_000,
  queryCount: 500,
  dimension: 384,
  clusters: 300,
  /** Directions that all topics share, and those of a topic alone. */
  shared: 96,
  own: 64,
  /** The parts of a vector: lengths to be expected, before it is brought to length 1. */
  mean: 1,
  centre: 0.8,
  sharedSpread: 0.8,
  ownSpread: 0.8,
  noise: 0.9,
};

const CACHE = fileURLToPath(new URL('.cache/', import.meta.url));

/** 50,000 × 384, COSINE, with 500 queries of the same distribution. The truth is our own FLAT's, kept in `.cache/`. */
export async function readSynthetic(): Promise<DataSet> {
  const { size, queryCount, dimension } = SHAPE;
  const all = drawVectors(size + queryCount);
  // Every hundred-and-first vector is a query, so that no topic is left to queries or rows alone.
  const rows = new Float32Array(size * dimension);
  const queries = new Float32Array(queryCount * dimension);
  for (let index = 0, row = 0, query = 0; index < size + queryCount; index++) {
    const vector = all.subarray(index * dimension, (index + 1) * dimension);
    if (index % 101 === 100 && query < queryCount) queries.set(vector, query++ * dimension);
    else rows.set(vector, row++ * dimension);
  }
  const truth = await readTruth(rows, queries);
  return { name: 'synthetic', metric: 'COSINE', dimension, size, rows, queries, queryCount, truth };
}

async function readTruth(rows: Float32Array, queries: Float32Array): Promise<Int32Array> {
  const file = `${CACHE}synthetic-truth-${SHAPE.version}.bin`;
  if (existsSync(file)) return new Int32Array(new Uint8Array(readFileSync(file)).buffer);
  const flat = (await nodeKernel(4 * rows.byteLength)).flat(SHAPE.dimension, 'COSINE');
  flat.append(rows);
  const truth = Int32Array.from(flat.search(queries, LIMIT).rows);
  flat.free();
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(file, new Uint8Array(truth.buffer));
  return truth;
}

interface Cluster {
  readonly centre: Float64Array;
  readonly directions: Float64Array;
  /** How far along each shared direction this topic spreads. */
  readonly weights: Float64Array;
  /** The share of all vectors that are of this topic or one before. */
  readonly until: number;
}

function drawVectors(count: number): Float32Array {
  const { dimension, shared, own } = SHAPE;
  const random = seededRandom(1);
  const mean = directions(random, 1);
  const axes = directions(random, shared);
  const clusters = drawClusters(random, mean, axes);
  const vectors = new Float32Array(count * dimension);
  const point = new Float64Array(dimension);
  for (let index = 0; index < count; index++) {
    const place = random() / 2 ** 32;
    const cluster = clusters.find(({ until }) => place < until) ?? clusters.at(-1)!;
    point.set(cluster.centre);
    for (let at = 0; at < shared; at++)
      add(point, axes, at, SHAPE.sharedSpread * cluster.weights[at]! * normal(random));
    for (let at = 0; at < own; at++)
      add(point, cluster.directions, at, SHAPE.ownSpread * decay(at, own) * normal(random));
    const noise = SHAPE.noise / Math.sqrt(dimension);
    let sum = 0;
    for (let at = 0; at < dimension; at++) {
      point[at] = point[at]! + noise * normal(random);
      sum += point[at]! * point[at]!;
    }
    const factor = 1 / Math.sqrt(sum);
    for (let at = 0; at < dimension; at++) vectors[index * dimension + at] = point[at]! * factor;
  }
  return vectors;
}

function drawClusters(random: Random, mean: Float64Array, axes: Float64Array): Cluster[] {
  const { dimension, clusters, shared, own } = SHAPE;
  const sizes = Array.from({ length: clusters }, (_, rank) => 1 / Math.sqrt(rank + 3));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  return sizes.map((size) => {
    before += size / total;
    const centre = new Float64Array(dimension);
    add(centre, mean, 0, SHAPE.mean);
    for (let at = 0; at < shared; at++) add(centre, axes, at, SHAPE.centre * decay(at, shared) * normal(random));
    const weights = Float64Array.from({ length: shared }, (_, at) => decay(at, shared) * (0.3 + 1.4 * unit(random)));
    return { centre, weights, directions: directions(random, own), until: before };
  });
}

/** Vectors of length 1 in any direction; in so many dimensions two of them are nearly at right angles. */
function directions(random: Random, count: number): Float64Array {
  const { dimension } = SHAPE;
  const values = Float64Array.from({ length: count * dimension }, () => normal(random));
  for (let start = 0; start < values.length; start += dimension) {
    let sum = 0;
    for (let at = start; at < start + dimension; at++) sum += values[at]! * values[at]!;
    for (let at = start; at < start + dimension; at++) values[at] = values[at]! / Math.sqrt(sum);
  }
  return values;
}

/** The deviation along direction `at` of `count`: variances fall as 1 / (at + 1), and all of them sum to 1. */
function decay(at: number, count: number): number {
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) sum += 1 / rank;
  return Math.sqrt(1 / (at + 1) / sum);
}

function add(target: Float64Array, from: Float64Array, index: number, factor: number): void {
  const start = index * SHAPE.dimension;
  for (let at = 0; at < SHAPE.dimension; at++) target[at] = target[at]! + factor * from[start + at]!;
}

function unit(random: Random): number {
  return random() / 2 ** 32;
}

/** Nearly normal, deviation 1: the sum of four uniform numbers. */
function normal(random: Random): number {
  return (unit(random) + unit(random) + unit(random) + unit(random) - 2) * Math.sqrt(3);
}
