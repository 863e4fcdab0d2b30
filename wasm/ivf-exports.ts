import type { IndexSpec } from '../core/vector/segment-index.ts';
import type { KernelExports, KernelMemory } from './memory.ts';

/**
 * What the module exports for inverted files (`assembly/ivf-door.ts`). All numbers are unsigned, and arrive signed;
 * `ivf` is the address of a header with the fields below, `room` one of as many bytes as the function's `…Bytes` says.
 */
export interface IvfExports extends KernelExports {
  /** 0 if there is no room, as wherever a number is returned for a yes or no. */
  ivfOpen(ivf: number): number;
  ivfReserve(ivf: number, count: number): number;
  ivfRowAddress(ivf: number, row: number): number;
  ivfRowShift(ivf: number): number;
  ivfNormalize(ivf: number, from: number, to: number): void;
  ivfTrim(ivf: number, first: number): number;
  ivfUnlist(ivf: number): number;
  ivfFree(ivf: number): void;
  ivfAnd(target: number, bitmap: number, bytes: number): void;
  ivfCount(bitmap: number, bytes: number): number;
  ivfWorkBytes(dimension: number): number;
  ivfCentroidBytes(dimension: number): number;
  ivfMean(ivf: number, sample: number, count: number, room: number): void;
  ivfEncodeSample(ivf: number, sample: number, from: number, to: number, codes: number, room: number): void;
  ivfAssignSample(
    ivf: number,
    codes: number,
    from: number,
    to: number,
    assigned: number,
    sums: number,
    counts: number,
    room: number,
  ): void;
  ivfMoveCentroids(
    ivf: number,
    codes: number,
    count: number,
    assigned: number,
    sums: number,
    counts: number,
    iteration: number,
    room: number,
  ): void;
  ivfBookBytes(ivf: number): number;
  ivfTrainBytes(ivf: number): number;
  ivfTrainPart(
    ivf: number,
    part: number,
    iteration: number,
    codes: number,
    assigned: number,
    count: number,
    room: number,
  ): void;
  ivfAssign(ivf: number, from: number, to: number, target: number, room: number): void;
  ivfSort(ivf: number, count: number, starts: number, order: number): void;
  ivfListBytes(ivf: number, count: number): number;
  ivfFill(ivf: number, list: number, order: number, count: number, room: number): number;
  ivfProbeBytes(ivf: number, limit: number, refined: number): number;
  ivfSearch(
    ivf: number,
    room: number,
    queries: number,
    queryCount: number,
    limit: number,
    refined: number,
    nprobe: number,
    wanted: number,
    bitmap: number,
    rows: number,
    scores: number,
    counts: number,
  ): void;
  /** A cursor's room has `ivfProbeBytes(ivf, 0, 0)`. */
  ivfCursorOpen(ivf: number, room: number, query: number): void;
  ivfCursorNextCount(ivf: number, room: number): number;
  ivfCursorGather(
    ivf: number,
    room: number,
    isPending: boolean,
    isExact: boolean,
    bitmap: number,
    pool: number,
    size: number,
  ): number;
  ivfCursorTake(pool: number, size: number, count: number, rows: number, scores: number): void;
}

/** The module's numbers for what a list holds of a row. */
export const IVF_KINDS = { IVF_FLAT: 0, IVF_SQ8: 1, IVF_RABITQ: 2, IVF_PQ: 3, SCANN: 4 } as const;

export type IvfType = keyof typeof IVF_KINDS;

/** The module's numbers for the metrics. */
const METRICS: Readonly<Record<IndexSpec['metric'], number>> = { L2: 0, IP: 1, COSINE: 2, HAMMING: 3, JACCARD: 4 };

/** The header's words behind the seed, which takes the first two: `Ivf` in `assembly/ivf.ts`. */
const FIELDS = [
  'kind',
  'metric',
  'dimension',
  'listCount',
  'mean',
  'centroids',
  'lists',
  'codebooks',
  'parts',
  'partDimension',
  'vectors',
  'rowsFirst',
  'size',
  'pendingFirst',
  'roundCount',
  'assigned',
  'filled',
  'alive',
  'signs',
] as const;

/** Bytes of a header. */
const HEADER_BYTES = 8 + 4 * FIELDS.length;

/** The header of an index in the kernel's memory, read and written field by field. */
export class IvfHeader {
  readonly address: number;
  readonly exports: IvfExports;
  readonly #memory: KernelMemory;

  /** Throws `quota` if there is no room. */
  constructor(memory: KernelMemory, spec: IndexSpec) {
    this.#memory = memory;
    this.exports = memory.exports as IvfExports;
    const address = memory.tryAllocate(HEADER_BYTES);
    if (address === undefined) throw memory.quota(HEADER_BYTES, 'an index');
    this.address = address;
    memory.bytes.fill(0, address, address + HEADER_BYTES);
    memory.words(address, 2).set([spec.seed % 2 ** 32, Math.floor(spec.seed / 2 ** 32)]);
    this.set('kind', IVF_KINDS[spec.type as IvfType]);
    this.set('metric', METRICS[spec.metric]);
    this.set('dimension', spec.dimension);
    if (this.exports.ivfOpen(address) !== 0) return;
    memory.release(address);
    throw memory.quota(HEADER_BYTES, 'an index');
  }

  get(field: IvfField): number {
    return this.#memory.words(this.address + 8 + 4 * FIELDS.indexOf(field), 1)[0] as number;
  }

  set(field: IvfField, value: number): void {
    this.#memory.words(this.address + 8 + 4 * FIELDS.indexOf(field), 1)[0] = value;
  }

  /** The address and the number of rows of each list. */
  lists(): Uint32Array<ArrayBuffer> {
    return this.#memory.words(this.get('lists'), 2 * this.get('listCount'));
  }
}

export type IvfField = (typeof FIELDS)[number];
