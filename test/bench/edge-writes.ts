import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../core/client/connect.ts';
import { startLocalEdge } from '../../worker/cli/local-edge.ts';

/**
 * Acknowledged inserts a second in workerd, over HTTP, into local R2: one awaited row after another, several writers of
 * one row each, and requests of 1,000 rows.
 * Usage: `node test/bench/edge-writes.ts [dimension]`.
 */

const dimension = Number(process.argv[2] ?? 128);
const SINGLE = 1_000;
const BATCH = 1_000;
const BATCHES = 20;
const WRITERS = 16;

const folder = await mkdtemp(join(tmpdir(), 'elanus-bench-'));
const edge = await startLocalEdge({ port: 0, host: '127.0.0.1', folder });
const db = connect({ url: edge.url });
const collectionName = 'bench';
let nextId = 1;
const row = (): { id: number; vector: Float32Array } => {
  const id = nextId++;
  return { id, vector: Float32Array.from({ length: dimension }, (_, at) => Math.sin(id * 31 + at)) };
};

async function rate(name: string, rows: number, work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${name}: ${Math.round(rows / seconds)} rows/s (${rows} rows of ${dimension} dimensions in ${seconds.toFixed(2)} s)`,
  );
}

try {
  await db.createCollection({ collectionName, dimension });
  await db.insert({ collectionName, data: [row()] });
  await rate('one at a time, awaited', SINGLE, async () => {
    for (let at = 0; at < SINGLE; at++) await db.insert({ collectionName, data: [row()] });
  });
  await rate(`${WRITERS} writers of one row each`, SINGLE, async () => {
    const writer = async (): Promise<void> => {
      for (let at = 0; at < SINGLE / WRITERS; at++) await db.insert({ collectionName, data: [row()] });
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
  });
  await rate(`batches of ${BATCH}, one at a time`, BATCH * BATCHES, async () => {
    for (let at = 0; at < BATCHES; at++) {
      await db.insert({ collectionName, data: Array.from({ length: BATCH }, row) });
    }
  });
  const count = await db.count({ collectionName });
  if (count !== nextId - 1) throw new Error(`${count} rows are there, ${nextId - 1} were acknowledged.`);
} finally {
  await edge.stop();
  await rm(folder, { recursive: true, force: true });
}
