import { expect, test } from 'vitest';
import { RequestMemory } from '../../../core/wal/request-memory.ts';
import { GOLDEN_FLUSH, goldenBytes, readGolden, writeGolden } from '../../golden/manifest-v2.ts';

test('this version writes format 2 byte for byte', async () => {
  expect(await writeGolden()).toEqual(await goldenBytes(2));
});

test('a manifest of format 2 is read, with the requests that may come again', async () => {
  const { manifest } = await readGolden(2);
  expect(manifest).toMatchObject({ term: 1, revision: 2, segments: GOLDEN_FLUSH.segments, ended: false });
  expect(manifest.requests).toEqual(GOLDEN_FLUSH.requests);
  const memory = new RequestMemory(manifest.requests);
  const known = memory.answerTo({ client: '0123456789abcdef', sequence: 4, firstPending: 2 });
  expect(known).toEqual({ timestamp: GOLDEN_FLUSH.checkpointTimestamp, deleteCount: 12 });
});

test('a manifest of format 1 is read, remembers no requests, and goes on as format 2', async () => {
  const { manifest, store } = await readGolden(1);
  expect(manifest.segments).toEqual(GOLDEN_FLUSH.segments);
  expect(manifest.requests).toEqual([]);
  const { stored } = await store.claim();
  await store.commitFlush(stored, { ...GOLDEN_FLUSH, segments: [] });
  const { manifest: next } = await store.read();
  expect(next.requests).toEqual(GOLDEN_FLUSH.requests);
  expect(next.segments).toEqual(GOLDEN_FLUSH.segments);
});
