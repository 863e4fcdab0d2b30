import { assert } from '../core/base/assert.ts';
import { concatBytes } from '../core/base/bytes.ts';
import { ElanusError } from '../core/base/error.ts';
import { vectorBytes } from '../core/vector/element.ts';
import { floatsOfRows, isFloats } from '../core/vector/element-rows.ts';
import type { TopK } from '../core/vector/kernel.ts';
import type { IndexSearch, IndexSpec } from '../core/vector/segment-index.ts';
import type { RowSet } from './row-set.ts';
import type { IdArray, RowIds } from './vector-index-ids.ts';
import type { RowOptions } from './vector-index-options.ts';

/** The hits of one query, nearest first. Both arrays have one entry a hit, and belong to the caller. */
export interface SearchResult<Ids extends IdArray = Float64Array<ArrayBuffer>> {
  readonly ids: Ids;
  /** In the metric's own values: L2 is squared, and of IP and COSINE the larger is the nearer. */
  readonly distances: Float32Array<ArrayBuffer>;
}

/**
 * The hits of several queries: those of query `q` are the first `counts[q]` entries from `q * limit` on, nearest first.
 * Entries behind them are zero.
 */
export interface SearchManyResult<Ids extends IdArray = Float64Array<ArrayBuffer>> extends SearchResult<Ids> {
  readonly limit: number;
  readonly counts: Uint32Array<ArrayBuffer>;
}

/**
 * One vector as it is handed in: its values; or, where elements are `int8` or `bit`, as it is kept: an Int8Array, or a
 * Uint8Array with value i in bit i & 7 of byte i >> 3.
 */
export type VectorIn = Float32Array | readonly number[] | Int8Array | Uint8Array;

/** Vectors as they are handed in: one after another in one array, or one by one. */
export type VectorsIn = Float32Array | Int8Array | Uint8Array | readonly VectorIn[];

/** Vectors that are checked: values, or bytes as they are kept. */
export interface CheckedRows {
  readonly rows: Float32Array | Uint8Array;
  readonly count: number;
}

/** The vectors of a call, checked as `valuesOf` does. */
export function rowsOf(vectors: VectorsIn, spec: IndexSpec, argument: string): CheckedRows {
  const { dimension, elements } = spec;
  const isList = Array.isArray(vectors);
  const first = isList ? (vectors as readonly VectorIn[])[0] : (vectors as VectorIn);
  const isStored = elements === 'int8' ? first instanceof Int8Array : elements === 'bit' && first instanceof Uint8Array;
  if (!isStored) {
    const rows = valuesOf(vectors, dimension, argument, elements);
    return { rows, count: rows.length / dimension };
  }
  const rowBytes = vectorBytes(elements, dimension);
  const parts = (isList ? vectors : [vectors]) as readonly (Int8Array | Uint8Array)[];
  for (const [at, part] of parts.entries()) {
    const fits = isList ? part.byteLength === rowBytes : part.byteLength % rowBytes === 0;
    if (fits && part.constructor === first?.constructor) continue;
    const where = isList ? `${argument}[${at}]` : argument;
    throw invalid(argument, `${where} is no row of ${rowBytes} bytes, which ${dimension} ${elements} values take.`);
  }
  const rows = concatBytes(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
  return { rows, count: rows.byteLength / rowBytes };
}

/**
 * The values of vectors, one after another. Throws `invalid`, naming vector and value, unless all have the dimension and
 * all values are finite, as float32 and as `elements`.
 */
export function valuesOf(
  vectors: VectorsIn,
  dimension: number,
  argument: string,
  elements?: IndexSpec['elements'],
): Float32Array {
  if (vectors instanceof Float32Array) {
    if (vectors.length % dimension !== 0) {
      throw invalid(
        argument,
        `${argument} holds ${vectors.length} values, which is no multiple of dimension ${dimension}.`,
      );
    }
    return checkFinite(vectors, dimension, argument, elements);
  }
  if (!Array.isArray(vectors)) throw invalid(argument, `${argument} is a Float32Array, or an array of them.`);
  const values = new Float32Array(vectors.length * dimension);
  for (const [at, vector] of (vectors as readonly ArrayLike<number>[]).entries()) {
    if (!(vector instanceof Float32Array) && !Array.isArray(vector)) {
      throw invalid(argument, `${argument}[${at}] is no vector; each is a Float32Array or an array of numbers.`);
    }
    if (vector.length !== dimension) {
      throw invalid(argument, `${argument}[${at}] has ${vector.length} values; the dimension is ${dimension}.`);
    }
    values.set(vector as Float32Array, at * dimension);
  }
  return checkFinite(values, dimension, argument, elements);
}

/** The values of one query. */
export function queryOf(query: VectorIn, spec: IndexSpec): Float32Array {
  const { dimension, elements } = spec;
  if (query instanceof Int8Array || query instanceof Uint8Array) {
    const { rows, count } = rowsOf(query, spec, 'query');
    if (count === 1 && !isFloats(rows)) return floatsOfRows(elements, rows, dimension);
    throw invalid('query', `query holds ${count} vectors; it is one.`);
  }
  const values = query instanceof Float32Array ? query : Array.isArray(query) ? Float32Array.from(query) : undefined;
  if (values === undefined) throw invalid('query', 'query is a Float32Array, or an array of numbers.');
  if (values.length !== dimension) {
    throw invalid('query', `query has ${values.length} values; the dimension is ${dimension}.`);
  }
  return checkFinite(values, dimension, 'query');
}

/** Sizes from which on a value would be stored as an infinity. */
const SIZE_BOUNDS: Readonly<Partial<Record<IndexSpec['elements'], number>>> = {
  f16: 65_520,
  // Half a unit above the largest bfloat16.
  bf16: 255.5 * 2 ** 120,
};

function checkFinite(
  values: Float32Array,
  dimension: number,
  argument: string,
  elements: IndexSpec['elements'] = 'f32',
): Float32Array {
  const bound = SIZE_BOUNDS[elements] ?? Number.POSITIVE_INFINITY;
  if (bound === Number.POSITIVE_INFINITY && areFinite(values)) return values;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (Math.abs(value) < bound) continue;
    const where = `${argument}: value ${at % dimension} of vector ${Math.floor(at / dimension)}`;
    throw invalid(argument, `${where} is ${value}; every value is finite as ${elements}.`);
  }
  return values;
}

/** Without a branch a value: only what is not finite differs from itself. */
function areFinite(values: Float32Array): boolean {
  const whole = values.length - (values.length % 4);
  let zero = 0;
  for (let at = 0; at < whole; at += 4) {
    const a = values[at] as number;
    const b = values[at + 1] as number;
    const c = values[at + 2] as number;
    const d = values[at + 3] as number;
    zero += a - a + (b - b) + (c - c + (d - d));
  }
  for (let at = whole; at < values.length; at++) zero += (values[at] as number) - (values[at] as number);
  return zero === 0;
}

/** What an index is asked: its own defaults stand for what is not given. */
export function indexSearchOf(
  options: Pick<RowOptions<never>, 'ef' | 'nprobe' | 'refineK'>,
  limit: number,
  allow: Uint8Array | undefined,
): IndexSearch {
  const { ef, nprobe, refineK } = options;
  // One shape whatever is given: a small search takes few microseconds, and spreading would be one of them.
  return {
    limit,
    ef: ef === undefined ? undefined : Math.max(ef, limit),
    nprobe,
    refineK: refineK === undefined || refineK === 0 ? refineK : Math.max(refineK, limit),
    allow,
  };
}

/** The bitmap of rows that a filter lets through. `size` counts all rows, `removed` those that are not asked about. */
export function allowOf(
  filter: Uint8Array | ((id: never) => boolean) | undefined,
  ids: RowIds,
  removed: RowSet,
  size: number,
): Uint8Array | undefined {
  if (filter === undefined) return undefined;
  const bytes = Math.ceil(size / 8);
  if (filter instanceof Uint8Array && ids.isRows) {
    if (filter.byteLength >= bytes) return filter;
    const padded = new Uint8Array(bytes);
    padded.set(filter);
    return padded;
  }
  const allows = filter instanceof Uint8Array ? bitOf(filter) : (filter as (id: number | bigint) => boolean);
  const allow = new Uint8Array(bytes);
  for (let row = 0; row < size; row++) {
    if (!removed.has(row) && allows(ids.idOf(row))) allow[row >> 3] = (allow[row >> 3] as number) | (1 << (row & 7));
  }
  return allow;
}

function bitOf(bitmap: Uint8Array): (id: number | bigint) => boolean {
  const bits = bitmap.byteLength * 8;
  return (id) => {
    if (id < 0 || id >= bits) return false;
    const bit = Number(id);
    return ((bitmap[Math.floor(bit / 8)] as number) & (1 << (bit & 7))) !== 0;
  };
}

/** The candidates of one query, ascending. */
export function candidateRows(found: TopK, query: number): Uint32Array<ArrayBuffer> {
  const from = query * found.limit;
  return found.rows.slice(from, from + (found.counts[query] as number)).sort();
}

/** Throws `invalid` unless `refine` gave what it must: a vector for each id. */
export function checkRefined(vectors: unknown, ids: IdArray, dimension: number): Float32Array {
  if (!(vectors instanceof Float32Array)) throw invalid('refine', 'refine gave no Float32Array.');
  if (vectors.length === ids.length * dimension) return vectors;
  throw invalid(
    'refine',
    `refine gave ${vectors.length} values for ${ids.length} ids; it gives ${dimension} for each, in their order.`,
  );
}

/** The hits of a search for one query. */
export function resultOf<Ids extends IdArray>(found: TopK, ids: RowIds): SearchResult<Ids> {
  assert(found.counts.length === 1, 'one query was asked');
  const count = found.counts[0] as number;
  return {
    ids: ids.idsOf(count === found.limit ? found.rows : found.rows.subarray(0, count)) as Ids,
    distances: count === found.limit ? found.distances : found.distances.slice(0, count),
  };
}

/** The hits of all queries. */
export function manyOf<Ids extends IdArray>(found: TopK, ids: RowIds): SearchManyResult<Ids> {
  const { limit, counts, distances } = found;
  const all = ids.zeros(found.rows.length);
  for (const [query, count] of counts.entries()) {
    const from = query * limit;
    all.set(ids.idsOf(found.rows.subarray(from, from + count)) as never, from);
  }
  return { limit, counts, ids: all as Ids, distances };
}

function invalid(argument: string, message: string): ElanusError {
  return new ElanusError('invalid', message, { details: { argument } });
}
