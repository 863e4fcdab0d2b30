import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { seededRandom } from '../../core/base/random.ts';
import { compareDistances, type Metric } from '../../core/model/metric.ts';
import type { TopK } from '../../core/vector/kernel.ts';
import type { IndexSection, IndexSpec, SavedIndex } from '../../core/vector/segment-index.ts';
import { WasmIvf } from '../../wasm/ivf.ts';
import { IVF_KINDS, type IvfType } from '../../wasm/ivf-exports.ts';
import { KernelMemory } from '../../wasm/memory.ts';
import { referenceDistance } from '../core/vector/reference.ts';
import { nodeModule, type WasmBuild } from './kernel.ts';

/** The types of the family. */
export const IVF_TYPES: readonly IvfType[] = Object.keys(IVF_KINDS) as IvfType[];

/** Rows of one dimension. */
export interface Rows {
  readonly dimension: number;
  readonly values: Float32Array;
}

/** `count` rows around a few dozen centres, seeded: near rows are near for a reason, as in real data. */
export function clusteredRows(count: number, dimension: number, seed: number): Rows {
  const random = seededRandom(seed);
  const normal = (): number => (random() + random() + random() + random()) / 2 ** 31 - 4;
  const centres = Array.from({ length: 40 }, () => Float32Array.from({ length: dimension }, () => 1 + normal()));
  const values = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const centre = centres[random() % centres.length] as Float32Array;
    for (let at = 0; at < dimension; at++) values[row * dimension + at] = (centre[at] as number) + 0.6 * normal();
  }
  return { dimension, values };
}

/** siftsmall of `ELANUS_DATA`, 10,000 × 128 and 100 queries; undefined where it is not. */
export function siftsmall(): { base: Rows; queries: Rows } | undefined {
  const folder = join(process.env['ELANUS_DATA'] ?? '', 'siftsmall');
  const base = join(folder, 'siftsmall_base.fvecs.gz');
  if (process.env['ELANUS_DATA'] === undefined || !existsSync(base)) return undefined;
  const queries = join(folder, 'siftsmall_query.fvecs');
  return { base: fvecs(gunzipSync(readFileSync(base))), queries: fvecs(readFileSync(queries)) };
}

function fvecs(bytes: Uint8Array): Rows {
  const words = new Float32Array(new Uint8Array(bytes).buffer);
  const dimension = new Int32Array(words.buffer)[0] as number;
  const count = words.length / (dimension + 1);
  const values = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    values.set(words.subarray(row * (dimension + 1) + 1, (row + 1) * (dimension + 1)), row * dimension);
  }
  return { dimension, values };
}

/** A spec with what most tests do not care for. */
export function ivfSpec(type: IvfType, metric: Metric, dimension: number, more: Partial<IndexSpec> = {}): IndexSpec {
  return { type, metric, dimension, elements: 'f32', exact: 'memory', seed: 7, ...more };
}

/** A memory of its own: 256 MiB, unless it is told otherwise. */
export async function kernelMemory(build?: WasmBuild, bytesMax: number = 2 ** 28): Promise<KernelMemory> {
  return new KernelMemory(await nodeModule(build), bytesMax);
}

/** An index of these rows, built until nothing is pending, `step` rows a call. */
export async function builtIvf(
  spec: IndexSpec,
  rows: Rows,
  build?: WasmBuild,
  step: number = 1 << 20,
): Promise<WasmIvf> {
  const index = new WasmIvf(await kernelMemory(build), spec);
  index.append(rows.values);
  buildAll(index, step);
  return index;
}

/** Builds until nothing is pending. */
export function buildAll(index: WasmIvf, step: number = 1 << 20): void {
  while (index.build(step) > 0);
}

/** The nearest rows by definition, nearest first. */
export function nearestRows(
  metric: Metric,
  { dimension, values }: Rows,
  query: Float32Array,
  isAllowed: (row: number) => boolean = () => true,
): number[] {
  const distances = Array.from({ length: values.length / dimension }, (_, row) =>
    isAllowed(row) ? referenceDistance(metric, query, values.subarray(row * dimension, (row + 1) * dimension)) : NaN,
  );
  return [...distances.keys()]
    .filter((row) => !Number.isNaN(distances[row]))
    .sort((a, b) => compareDistances(metric, distances[a] as number, distances[b] as number) || a - b);
}

/** The rows of one query. */
export function rowsOf({ rows, counts, limit }: TopK, query: number = 0): number[] {
  return [...rows.subarray(query * limit, query * limit + (counts[query] as number))];
}

/** The share of the first `limit` of `truth` that was found, over all queries. */
export function recallOf(result: TopK, truth: readonly (readonly number[])[]): number {
  let found = 0;
  let wanted = 0;
  truth.forEach((nearest, query) => {
    const rows = new Set(rowsOf(result, query));
    wanted += Math.min(result.limit, nearest.length);
    found += nearest.slice(0, result.limit).filter((row) => rows.has(row)).length;
  });
  return found / wanted;
}

/** The bytes of each section by name. */
export function sectionBytes({ sections }: SavedIndex): Map<string, Uint8Array> {
  return new Map(sections.map((section) => [section.name, bytesOf(section)]));
}

/** A saved index as one that was read from a file: every section in a piece of its own. */
export function copied(saved: SavedIndex): SavedIndex {
  const sections = saved.sections.map((section): IndexSection => {
    const bytes = bytesOf(section);
    return { name: section.name, byteLength: bytes.byteLength, bytes, copyTo: (target) => target.set(bytes) };
  });
  return { spec: saved.spec, state: structuredClone(saved.state) as SavedIndex['state'], sections };
}

function bytesOf(section: IndexSection): Uint8Array {
  const bytes = new Uint8Array(section.byteLength);
  section.copyTo(bytes);
  return bytes;
}
