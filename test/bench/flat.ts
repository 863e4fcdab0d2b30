import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../core/base/random.ts';
import { nodeKernel, WASM_BUILDS } from '../node/kernel.ts';
import { sequentialRead } from './bandwidth.ts';
import { readDataSet } from './datasets.ts';
import { type Contender, interleave, median } from './interleave.ts';
import { JavaScriptScan } from './javascript-scan.ts';

/**
 * FLAT against the same scan in plain JavaScript, all in turn on one thread, and the bytes a second of the scan
 * against a loop that only reads. `node test/bench/flat.ts [--json FILE]`; with ELANUS_DATA also on real embeddings.
 * The file gets the shares of the sequential read.
 */

/** The share of the sequential read that one build's scan gets. */
export interface FlatShare {
  readonly build: string;
  readonly dimension: number;
  readonly share: number;
}

const LIMIT = 10;
const ROUNDS = 25;
const WARM_UP_ROUNDS = 5;
const MEBIBYTE = 1024 * 1024;

interface VectorSet {
  readonly name: string;
  readonly dimension: number;
  readonly rows: Float32Array;
  readonly queries: Float32Array;
}

/** Rows scattered around a few hundred centres, from a seed. */
function syntheticSet(size: number, dimension: number): VectorSet {
  const random = seededRandom(1);
  const normal = () => (random() + random() + random() + random()) / 2 ** 31 - 4;
  const centres = Float32Array.from({ length: 200 * dimension }, normal);
  const near = (count: number) => {
    const values = new Float32Array(count * dimension);
    for (let row = 0; row < count; row++) {
      const centre = (random() % 200) * dimension;
      for (let index = 0; index < dimension; index++) {
        values[row * dimension + index] = centres[centre + index]! + 0.7 * normal();
      }
    }
    return values;
  };
  return { name: `synthetic ${size} x ${dimension}`, dimension, rows: near(size), queries: near(100) };
}

async function realSet(): Promise<VectorSet | undefined> {
  const set = await readDataSet('bge');
  if (typeof set !== 'string') return { ...set, name: `${set.name}, ${set.size} x ${set.dimension}` };
  console.log(`${set} The synthetic set only.\n`);
  return undefined;
}

/** Queries a second, one query a call and many in one call. */
async function compare(set: VectorSet): Promise<void> {
  const { dimension } = set;
  const query = (index: number) => set.queries.subarray(index * dimension, (index + 1) * dimension);
  const javascript = new JavaScriptScan(set.rows, dimension);
  const contenders: Contender[] = [
    { name: 'JavaScript', amount: 10, run: () => times(10, (index) => javascript.search(query(index), LIMIT)) },
  ];
  for (const build of WASM_BUILDS) {
    const flat = (await nodeKernel(undefined, build)).flat(dimension, 'COSINE');
    flat.append(set.rows);
    const found = flat.search(query(0), LIMIT);
    const expected = javascript.search(query(0), LIMIT);
    if (found.rows.join() !== expected.rows.join()) throw new Error(`${build}: the two scans disagree.`);
    const many = set.queries.subarray(0, 64 * dimension);
    contenders.push(
      { name: `${build}, one a call`, amount: 20, run: () => times(20, (index) => flat.search(query(index), LIMIT)) },
      { name: `${build}, 64 a call`, amount: 64, run: () => void flat.search(many, LIMIT) },
    );
  }
  const rates = interleave(contenders, ROUNDS, WARM_UP_ROUNDS);
  const base = median(rates.get('JavaScript')!);
  const bytes = set.rows.byteLength;
  console.log(`${set.name}, COSINE, limit ${LIMIT}: medians of ${ROUNDS} interleaved rounds`);
  for (const [name, values] of rates) {
    const rate = median(values);
    const ratio = `${(rate / base).toFixed(2)}x`.padStart(8);
    const speed = `${((rate * bytes) / 1e9).toFixed(1)} GB/s`.padStart(11);
    console.log(`  ${name.padEnd(22)}${rate.toFixed(0).padStart(6)} queries/s${ratio}${speed}`);
  }
  console.log('');
}

/** Bytes a second over 256 MiB, more than any cache holds: a loop that only reads, and the scan. */
async function compareBandwidth(dimension: number): Promise<FlatShare[]> {
  const bytes = 256 * MEBIBYTE;
  const contenders: Contender[] = [{ name: 'sequential read', amount: bytes, run: await sequentialRead(bytes) }];
  const part = syntheticSet(1000, dimension);
  for (const build of WASM_BUILDS) {
    const flat = (await nodeKernel(2 * bytes, build)).flat(dimension, 'COSINE');
    while ((flat.size + 1000) * dimension * 4 <= bytes) flat.append(part.rows);
    const query = part.queries.subarray(0, dimension);
    contenders.push({
      name: `${build} scan`,
      amount: flat.size * dimension * 4,
      run: () => void flat.search(query, LIMIT),
    });
  }
  const rates = interleave(contenders, ROUNDS, WARM_UP_ROUNDS);
  const base = median(rates.get('sequential read')!);
  console.log(`256 MiB, dimension ${dimension}: medians of ${ROUNDS} interleaved rounds`);
  for (const [name, values] of rates) {
    const rate = median(values);
    console.log(
      `  ${name.padEnd(22)}${(rate / 1e9).toFixed(1).padStart(6)} GB/s${(rate / base).toFixed(2).padStart(9)}x`,
    );
  }
  console.log('');
  return WASM_BUILDS.map((build) => ({ build, dimension, share: median(rates.get(`${build} scan`)!) / base }));
}

function times(count: number, run: (index: number) => unknown): void {
  for (let index = 0; index < count; index++) run(index);
}

console.log(`${cpus()[0]?.model.trim()}, Node ${process.version}\n`);
await compare(syntheticSet(10_000, 768));
const real = await realSet();
if (real !== undefined) await compare(real);
const shares = [...(await compareBandwidth(768)), ...(await compareBandwidth(128))];
const { json } = parseArgs({ options: { json: { type: 'string' } } }).values;
if (json !== undefined) writeFileSync(json, JSON.stringify(shares));
