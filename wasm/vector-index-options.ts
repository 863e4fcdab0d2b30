import { ElanusError } from '../core/base/error.ts';
import { DIMENSION_MAX, TOP_K_MAX } from '../core/model/limits.ts';
import { INDEX_TYPES, type IndexSpec, type IndexType } from '../core/vector/segment-index.ts';
import type { GivenIds, IdArray } from './vector-index-ids.ts';
import type { VectorMemory, VectorMemoryOptions } from './vector-memory.ts';

/** The type of one id. */
export type IdOf<Ids extends IdArray> = Ids extends BigUint64Array ? bigint : number;
/** Ids as they are handed in. */
export type IdsIn<Ids extends IdArray> = Ids extends BigUint64Array
  ? BigUint64Array
  : Exclude<GivenIds, BigUint64Array>;

/** What an index is; only type, metric and dimension are needed. */
export interface VectorIndexOptions extends VectorMemoryOptions {
  readonly type: IndexType;
  /** L2 (the squared Euclidean distance), IP, COSINE; for bits HAMMING or JACCARD. */
  readonly metric: IndexSpec['metric'];
  /** Values of a vector, 1 to 32,768; of bits a multiple of 8. */
  readonly dimension: number;
  /** How exact vectors are kept. Default: `f32`; others for FLAT. */
  readonly elements?: IndexSpec['elements'];
  /**
   * Whether exact vectors stay in memory once their codes are built. Default: `memory`. With `none`, distances are
   * estimates unless a search hands the exact vectors in by `refine`.
   */
  readonly exact?: IndexSpec['exact'];
  /** HNSW: links of a node, 2 to 128; twice as many on the lowest level. Default: 16. */
  readonly M?: number;
  /** HNSW: nodes that an insertion keeps in view, `M` to 4,096. Default: 200. */
  readonly efConstruction?: number;
  /** IVF, SCANN: lists, 1 to 65,536. Default: by the number of vectors. */
  readonly nlist?: number;
  /** IVF_PQ: parts of a vector, a divisor of the dimension. Default: one for about 8 values. */
  readonly m?: number;
  /** What all chance comes from: the same calls with the same seed give the same index. Default: 1. */
  readonly seed?: number;
  /** A memory that is shared with others, in place of one of its own of `maxBytes`. */
  readonly memory?: VectorMemory;
}

/** How one query is answered. */
export interface SearchOptions<Ids extends IdArray = Float64Array<ArrayBuffer>> extends RowOptions<Ids> {
  /** Hits, 1 to 16,384; fewer come if there are no more. */
  readonly limit: number;
}

/** What may be found, and how carefully it is looked for. */
export interface RowOptions<Ids extends IdArray = Float64Array<ArrayBuffer>> {
  /** HNSW: nodes that the search keeps in view. More find more, slower. Default: the larger of 64 and `limit`. */
  readonly ef?: number;
  /** IVF, SCANN: lists that are searched. Default: the larger of 8 and a sixteenth of them. */
  readonly nprobe?: number;
  /**
   * What may be found: a function of the id, asked once for each vector, or a bitmap of ids, in which bit `i & 7` of
   * byte `i >> 3` stands for id `i`; what lies beyond its end may not be found.
   */
  readonly filter?: Uint8Array | ((id: IdOf<Ids>) => boolean);
  /** The exact vectors of these ids, one after another: the last candidates are ranked by them. */
  readonly refine?: (ids: Ids) => Float32Array;
  /** Candidates that are ranked exactly. Default: by type. 0: none, and distances are estimates. */
  readonly refineK?: number;
}

/** `SearchOptions` with vectors that may take their time. */
export interface AsyncSearchOptions<Ids extends IdArray = Float64Array<ArrayBuffer>>
  extends Omit<SearchOptions<Ids>, 'refine'> {
  readonly refine?: (ids: Ids) => Float32Array | Promise<Float32Array>;
}

/** All that lies within a distance. */
export interface RangeOptions<Ids extends IdArray = Float64Array<ArrayBuffer>> extends RowOptions<Ids> {
  /** In the metric's own values: for L2, HAMMING, JACCARD at most this, for IP and COSINE at least this. */
  readonly radius: number;
  /** The nearest so many of them. Default: all. */
  readonly limit?: number;
}

/** Types without a code of their own. */
export const SEARCHED_EXACTLY: readonly IndexType[] = ['FLAT', 'HNSW', 'IVF_FLAT'];

const SPEC_KEYS = ['type', 'metric', 'dimension', 'elements', 'exact', 'M', 'efConstruction', 'nlist', 'm', 'seed'];
const MEMORY_KEYS = ['module', 'wasmUrl', 'maxBytes', 'memory'];
const METRICS_OF_BITS: readonly string[] = ['HAMMING', 'JACCARD'];
const METRICS_OF_NUMBERS: readonly string[] = ['L2', 'IP', 'COSINE'];
const ELEMENTS: readonly string[] = ['f32', 'f16', 'bf16', 'int8', 'bit'];
const ROW_KEYS = ['ef', 'nprobe', 'filter', 'refine', 'refineK'];
const SEARCH_KEYS: ReadonlySet<string> = new Set([...ROW_KEYS, 'limit']);
const RANGE_KEYS: ReadonlySet<string> = new Set([...ROW_KEYS, 'limit', 'radius']);
const CURSOR_KEYS: ReadonlySet<string> = new Set(ROW_KEYS);
const MEMORY_KEY_SET: ReadonlySet<string> = new Set(MEMORY_KEYS);
const CREATE_KEYS: ReadonlySet<string> = new Set([...SPEC_KEYS, ...MEMORY_KEYS]);

/** The spec that these options ask for. Throws `invalid`, or `unsupported` for what no index does yet. */
export function specOf(options: VectorIndexOptions): IndexSpec {
  refuseUnknown(options, CREATE_KEYS, 'VectorIndex.create');
  const { type, metric, dimension, exact = 'memory', seed = 1 } = options;
  const isOfBits = METRICS_OF_BITS.includes(metric);
  const { elements = isOfBits ? 'bit' : 'f32' } = options;
  oneOf('type', type, INDEX_TYPES);
  oneOf('metric', metric, [...METRICS_OF_NUMBERS, ...METRICS_OF_BITS]);
  whole('dimension', dimension, 1, DIMENSION_MAX);
  oneOf('elements', elements, ELEMENTS);
  oneOf('exact', exact, ['memory', 'none']);
  whole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if ((elements === 'bit') !== isOfBits) {
    throw invalid('metric', `${metric} is not a metric of ${elements} elements; bits take HAMMING or JACCARD.`);
  }
  if (elements === 'bit' && dimension % 8 !== 0) {
    throw invalid('dimension', `dimension is ${dimension}; of bits it is a multiple of 8.`);
  }
  if (type !== 'FLAT' && elements !== 'f32') {
    throw new ElanusError('unsupported', `${type} keeps f32 elements; ${elements} are for FLAT.`, {
      details: { option: 'elements' },
    });
  }
  if (exact === 'none' && SEARCHED_EXACTLY.includes(type)) {
    throw invalid('exact', `${type} searches exact vectors, which must be in memory; a type with a code needs none.`);
  }
  return { type, metric, dimension, elements, exact, seed, ...settingsOf(options) };
}

/** The settings of the type's own family; those of others are refused. */
function settingsOf({ type, dimension, M, efConstruction, nlist, m }: VectorIndexOptions): Partial<IndexSpec> {
  const isGraph = type.startsWith('HNSW');
  const hasLists = type.startsWith('IVF') || type === 'SCANN';
  for (const [name, value, isOurs] of [
    ['M', M, isGraph],
    ['efConstruction', efConstruction, isGraph],
    ['nlist', nlist, hasLists],
    ['m', m, type === 'IVF_PQ'],
  ] as const) {
    if (value !== undefined && !isOurs) throw invalid(name, `${name} is no setting of ${type}.`);
  }
  if (isGraph) {
    const links = M ?? 16;
    const view = efConstruction ?? Math.max(200, links);
    whole('M', links, 2, 128);
    whole('efConstruction', view, links, 4096);
    return { M: links, efConstruction: view };
  }
  if (nlist !== undefined) whole('nlist', nlist, 1, 65_536);
  if (m !== undefined) {
    whole('m', m, 1, dimension);
    if (dimension % m !== 0) throw invalid('m', `m is ${m}, which does not divide the dimension ${dimension}.`);
  }
  return { ...(nlist === undefined ? {} : { nlist }), ...(m === undefined ? {} : { m }) };
}

/** Checks a spec that comes out of a file as `specOf` checks options. */
export function checkSavedSpec(spec: IndexSpec): IndexSpec {
  const known = Object.keys(spec).every((name) => SPEC_KEYS.includes(name));
  if (!known) throw new ElanusError('corrupt', 'The saved index has settings that no index has. Build it again.');
  try {
    return specOf(spec);
  } catch (error) {
    throw new ElanusError('corrupt', 'The saved index has settings that do not fit together. Build it again.', {
      cause: error,
    });
  }
}

/** Checks the options of `load`. */
export function checkMemoryOptions(options: object, name: string): void {
  refuseUnknown(options, MEMORY_KEY_SET, name);
}

export function checkSearch(options: SearchOptions<never> | AsyncSearchOptions<never>): void {
  refuseUnknown(options, SEARCH_KEYS, 'search');
  whole('limit', options.limit, 1, TOP_K_MAX);
  checkRowOptions(options);
}

export function checkRange(options: RangeOptions<never>): void {
  refuseUnknown(options, RANGE_KEYS, 'searchRange');
  if (typeof options.radius !== 'number' || Number.isNaN(options.radius)) {
    throw invalid('radius', `radius is ${String(options.radius)}; it is a number.`);
  }
  if (options.limit !== undefined) whole('limit', options.limit, 1, Number.MAX_SAFE_INTEGER);
  checkRowOptions(options);
}

export function checkCursor(options: RowOptions<never>): void {
  refuseUnknown(options, CURSOR_KEYS, 'cursor');
  checkRowOptions(options);
}

function checkRowOptions({ ef, nprobe, filter, refine, refineK }: RowOptions<never> | AsyncSearchOptions<never>): void {
  if (ef !== undefined) whole('ef', ef, 1, TOP_K_MAX);
  if (nprobe !== undefined) whole('nprobe', nprobe, 1, 65_536);
  if (refineK !== undefined) whole('refineK', refineK, 0, TOP_K_MAX);
  if (filter !== undefined && typeof filter !== 'function' && !(filter instanceof Uint8Array)) {
    throw invalid('filter', 'filter is a bitmap (Uint8Array) or a function of the id.');
  }
  if (refine !== undefined && typeof refine !== 'function') {
    throw invalid('refine', 'refine is a function that gives the exact vectors of ids.');
  }
}

/** Throws `invalid` unless it is a whole number within the bounds. */
export function whole(name: string, value: unknown, min: number, max: number): void {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw invalid(name, `${name} is ${String(value)}; it is a whole number from ${min} to ${max}.`);
}

function oneOf(name: string, value: unknown, known: readonly string[]): void {
  if (known.includes(value as string)) return;
  throw invalid(name, `${name} is ${String(value)}; it is one of ${known.join(', ')}.`);
}

function refuseUnknown(options: unknown, known: ReadonlySet<string>, call: string): void {
  if (typeof options !== 'object' || options === null) throw invalid('options', `${call} takes an object of options.`);
  for (const name in options) {
    if (!known.has(name)) throw invalid(name, `${call} has no option ${name}; it has ${[...known].join(', ')}.`);
  }
}

function invalid(option: string, message: string): ElanusError {
  return new ElanusError('invalid', message, { details: { option } });
}
