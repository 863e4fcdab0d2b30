import { expect, test } from 'vitest';
import { largeListOf, sendParts } from '../../browser/page/large-list.ts';

/** What arrives at a worker: each part cloned by itself. */
async function sent(body: object): Promise<{ items: unknown[]; parts: number; bytes: number }> {
  const large = largeListOf(body);
  if (large === undefined) throw new Error('it is not large');
  const items: unknown[] = [];
  const buffers = new Set<ArrayBufferLike>();
  let parts = 0;
  await sendParts(large, async (part) => {
    parts += 1;
    const cloned = structuredClone(part) as { vector: Float32Array }[];
    for (const { vector } of cloned) if (ArrayBuffer.isView(vector)) buffers.add(vector.buffer);
    items.push(...cloned);
  });
  return { items, parts, bytes: [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0) };
}

test('a small body goes in one message, and so does one large row', () => {
  expect(largeListOf({ data: { id: 1, vector: new Float32Array(100_000) } })).toBeUndefined();
  expect(largeListOf({ data: [{ id: 1, vector: new Float32Array(100_000) }] })).toBeUndefined();
  expect(largeListOf({ data: Array.from({ length: 100 }, (_, id) => ({ id, vector: [1, 2] })) })).toBeUndefined();
  expect(largeListOf({ filter: 'x'.repeat(1_000_000) })).toBeUndefined();
  expect(largeListOf(undefined)).toBeUndefined();
});

test('rows, plain and typed, and keys arrive in parts as they were', async () => {
  const rows = Array.from({ length: 3_000 }, (_, id) => ({ id, vector: Float32Array.of(id, 1), tags: ['a', `${id}`] }));
  const typed = await sent({ collectionName: 'c', data: rows });
  expect(typed.items).toEqual(rows);
  expect(typed.parts).toBeGreaterThan(4);
  const plain = rows.map(({ id }) => ({ id, vector: Array.from({ length: 384 }, (_, at) => id + at) }));
  expect((await sent({ data: plain })).items).toEqual(plain);
  const ids = Array.from({ length: 20_000 }, (_, id) => id);
  expect((await sent({ ids })).items).toEqual(ids);
});

test('rows that share one buffer send each its own part of it', async () => {
  const all = Float32Array.from({ length: 4_000 * 64 }, (_, at) => at);
  const rows = Array.from({ length: 4_000 }, (_, id) => ({ id, vector: all.subarray(id * 64, (id + 1) * 64) }));
  const { items, bytes } = await sent({ data: rows });
  expect(items).toEqual(rows);
  expect(bytes).toBe(all.byteLength);
  expect(rows[0]?.vector.buffer).toBe(all.buffer);
});
