import { readFile, writeFile } from 'node:fs/promises';
import { seededRandom } from '../../core/base/random.ts';
import type { FlushEdit, Manifest } from '../../core/manifest/manifest.ts';
import { ManifestStore, manifestKey } from '../../core/manifest/manifest-store.ts';
import { MemoryStore } from '../../core/storage/memory-store.ts';

/**
 * A channel's manifest after a claim and a flush, as formats 1 and 2 write it. The files are never written again, and
 * every later version must read them. `node test/golden/manifest-v2.ts` made the second; the code before it the first.
 */

const FOLDER = new URL('./', import.meta.url);
const COLLECTION_ID = 7;
const CHANNEL = '7-0';

/** What was flushed; format 1 knew no requests. */
export const GOLDEN_FLUSH: FlushEdit = {
  segments: [
    {
      id: '0000000000000abc-7-0',
      partitionId: 0,
      rows: 2,
      schemaVersion: 1,
      files: [{ name: 'columns.0', bytes: 100, directoryAt: 50, fieldIds: [0, 100], startRow: 0, rows: 2 }],
      deltas: [{ name: 'delta.0000000000000abd', bytes: 40, deletes: 1 }],
      minKey: '-1',
      maxKey: '9223372036854775807',
      maxTimestamp: '446371840000000001',
      completeTo: { term: 1, index: 4 },
    },
  ],
  deltas: new Map(),
  checkpoint: { term: 1, index: 4 },
  checkpointTimestamp: 446371840000000009n,
  requests: [
    {
      client: '0123456789abcdef',
      firstPending: 2,
      timestamp: '446371840000000009',
      answers: [
        [2, '446371840000000003', 0],
        [4, '446371840000000009', 12],
      ],
    },
  ],
  at: 1_700_000_000_000,
};

/** Writes the manifest as this version does. */
export async function writeGolden(): Promise<Uint8Array> {
  const objects = new MemoryStore();
  const clock = { now: () => 1_700_000_000_000, sleep: async () => undefined };
  const store = new ManifestStore(objects, { clock, random: seededRandom(1) }, COLLECTION_ID, CHANNEL);
  const { stored } = await store.claim();
  await store.commitFlush(stored, GOLDEN_FLUSH);
  const object = await objects.read(manifestKey(COLLECTION_ID, CHANNEL));
  if (object === undefined) throw new Error('The manifest was not written.');
  return object.bytes;
}

/** The bytes that a version wrote. */
export async function goldenBytes(version: 1 | 2): Promise<Uint8Array> {
  return new Uint8Array(await readFile(new URL(`manifest-v${version}`, FOLDER)));
}

/** Reads a manifest's bytes as this version does. */
export async function readGolden(version: 1 | 2): Promise<{ manifest: Manifest; store: ManifestStore }> {
  const objects = new MemoryStore();
  await objects.create(manifestKey(COLLECTION_ID, CHANNEL), await goldenBytes(version));
  const clock = { now: () => 1_700_000_000_000, sleep: async () => undefined };
  const store = new ManifestStore(objects, { clock, random: seededRandom(2) }, COLLECTION_ID, CHANNEL);
  return { manifest: (await store.read()).manifest, store };
}

if (import.meta.main) {
  await writeFile(new URL('manifest-v2', FOLDER), await writeGolden());
}
