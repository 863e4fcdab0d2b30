import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { connect } from '../../core/client/index.ts';
import type { Elanus } from '../../core/elanus.ts';
import { MemoryStore } from '../../core/storage/memory-store.ts';
import { chromeLaunch } from '../chrome.ts';
import { databaseOn, testCluster } from '../core/node/cluster.ts';
import { testEdge } from '../node/local-edge.ts';
import { serveEnginePage } from '../node/page-server.ts';

/**
 * Acknowledged inserts a second: 1,000 rows one awaited call after another, and 20 requests of 1,000 rows, on each local
 * store. Usage: `node test/bench/inserts.ts [--dimension 128]`.
 */
const { values } = parseArgs({ options: { dimension: { type: 'string' } }, strict: false });
const dimension = Number(values.dimension ?? 128);

interface Rates {
  readonly single: number;
  readonly batched: number;
}

/** Runs in Node and, as its own text, in a page: so it uses nothing but its arguments. */
async function measure(db: Elanus, dimension: number): Promise<Rates> {
  const collectionName = 'bench';
  let next = 0;
  const row = (): { id: number; vector: Float32Array } => {
    next += 1;
    return { id: next, vector: Float32Array.from({ length: dimension }, (_, at) => Math.sin(next * 31 + at)) };
  };
  const rate = async (rows: number, work: () => Promise<void>): Promise<number> => {
    const began = performance.now();
    await work();
    return Math.round((1000 * rows) / (performance.now() - began));
  };
  await db.createCollection({ collectionName, dimension });
  await db.insert({ collectionName, data: [row()] });
  const single = await rate(1000, async () => {
    for (let at = 0; at < 1000; at++) await db.insert({ collectionName, data: [row()] });
  });
  const batched = await rate(20_000, async () => {
    for (let at = 0; at < 20; at++) await db.insert({ collectionName, data: Array.from({ length: 1000 }, row) });
  });
  const count = await db.count({ collectionName });
  if (count !== next) throw new Error(`${count} rows are there, ${next} were acknowledged.`);
  return { single, batched };
}

function show(store: string, { single, batched }: Rates): void {
  console.log(`${store.padEnd(32)} ${String(single).padStart(8)} ${String(batched).padStart(12)}`);
}

console.log(`acknowledged rows a second, dimension ${dimension}`);
console.log(`${'store'.padEnd(32)} ${'one by one'.padStart(8)} ${'by 1,000'.padStart(12)}`);

const running = await testCluster({ objects: new MemoryStore() });
show('memory, Node', await measure(databaseOn(running), dimension));
await running.cluster.close();

const server = await serveEnginePage();
const browser = await chromium.launch(chromeLaunch());
const page = await browser.newPage();
await page.goto(server.origin);
for (const storage of ['memory', 'indexeddb', 'indexeddb+opfs']) {
  const script = `(async () => {
    const db = await elanus.openHere('bench-' + crypto.randomUUID(), { storage: ${JSON.stringify(storage)} });
    const rates = await (${measure.toString()})(db, ${dimension});
    await db.destroy();
    return rates;
  })()`;
  show(`${storage}, Chromium`, (await page.evaluate(script)) as Rates);
}
await browser.close();
await server.close();

await using edge = await testEdge();
show('R2, workerd over HTTP', await measure(connect({ url: edge.url }), dimension));
