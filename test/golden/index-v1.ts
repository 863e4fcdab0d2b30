import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { seededRandom } from '../../core/base/random.ts';
import { INDEX_TYPES, type IndexType } from '../../core/vector/segment-index.ts';
import { VectorIndex } from '../../wasm/index.ts';
import { nodeModule } from '../node/kernel.ts';

/**
 * An index of every type as format 1 saves it: built, then with some rows removed, one replaced and some not yet built.
 * The files in `index-v1/` are never written again, and every later version must read them.
 * `node test/golden/index-v1.ts` made them.
 */

const FOLDER = new URL('index-v1/', import.meta.url);
const DIMENSION = 16;
const ROWS = 200;

/** Whole numbers, so that exact distances are the same from both builds of the core. */
const random = seededRandom(2026);
const wholes = (count: number): Float32Array => Float32Array.from({ length: count }, () => (random() % 41) - 20);
const VECTORS: Float32Array = wholes(ROWS * DIMENSION);
export const GOLDEN_QUERIES: Float32Array = wholes(4 * DIMENSION);

/** The exact vectors by id, for an index that has none. */
export function goldenVectors(ids: Float64Array): Float32Array {
  const vectors = new Float32Array(ids.length * DIMENSION);
  for (const [at, id] of ids.entries()) vectors.set(vectorOf(id), at * DIMENSION);
  return vectors;
}

/** Row r has the id 3 r; the last row has that of row 7. */
function vectorOf(id: number): Float32Array {
  const row = id === 21 ? ROWS - 1 : id / 3;
  return VECTORS.subarray(row * DIMENSION, (row + 1) * DIMENSION);
}

export interface GoldenIndex {
  readonly type: IndexType;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What a search that ranks every row exactly finds: the same for all types. */
  readonly answers: readonly { readonly ids: readonly number[]; readonly distances: readonly number[] }[];
}

/** A search that sees everything, so that the answers do not depend on how an index looks for them. */
export const GOLDEN_SEARCH = { limit: 5, ef: ROWS, nprobe: 64, refineK: ROWS } as const;

export async function goldenIndexes(): Promise<GoldenIndex[]> {
  const answers = JSON.parse(await readFile(new URL('answers.json', FOLDER), 'utf8')) as GoldenIndex['answers'];
  return await Promise.all(
    INDEX_TYPES.map(async (type) => {
      return { type, bytes: new Uint8Array(await readFile(new URL(`${type}.bin`, FOLDER))), answers };
    }),
  );
}

/** The index that the files hold. */
export async function makeGoldenIndex(type: IndexType): Promise<VectorIndex> {
  const module = await nodeModule('simd');
  const index = await VectorIndex.create({ type, metric: 'L2', dimension: DIMENSION, module });
  const add = (from: number, to: number): void => {
    const ids = Array.from({ length: to - from }, (_, at) => (from + at === ROWS - 1 ? 21 : 3 * (from + at)));
    index.add(VECTORS.subarray(from * DIMENSION, to * DIMENSION), ids);
  };
  add(0, 150);
  await index.build();
  index.remove([0, 3, 300]);
  add(150, ROWS);
  return index;
}

if (import.meta.main) {
  await mkdir(FOLDER, { recursive: true });
  const exact = await makeGoldenIndex('FLAT');
  const found = exact.searchMany(GOLDEN_QUERIES, GOLDEN_SEARCH);
  const answers = Array.from(found.counts, (count, query) => {
    const from = query * found.limit;
    return {
      ids: [...found.ids.subarray(from, from + count)],
      distances: [...found.distances.subarray(from, from + count)],
    };
  });
  await writeFile(new URL('answers.json', FOLDER), `${JSON.stringify(answers)}\n`);
  for (const type of INDEX_TYPES) {
    const index = await makeGoldenIndex(type);
    await writeFile(new URL(`${type}.bin`, FOLDER), index.save());
  }
}
