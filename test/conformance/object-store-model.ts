import fc from 'fast-check';
import { expect } from 'vitest';
import { compareUtf8, encodeUtf8 } from '../../core/base/bytes.ts';
import type { ObjectInfo, ObjectStore, Version } from '../../core/storage/object-store.ts';

const invalid = expect.objectContaining({ code: 'invalid' });
const conflict = expect.objectContaining({ code: 'conflict' });

/** The keys that a list yields, in its order. */
export async function keysOf(list: AsyncIterable<ObjectInfo>): Promise<string[]> {
  const keys: string[] = [];
  for await (const info of list) keys.push(info.key);
  return keys;
}

const modelKey = fc.constantFrom('a', 'b', 'a/b', 'ab', '\u{10000}', '\uffff', 'z');
const modelStep = fc.oneof(
  fc.record({ do: fc.constant('create' as const), key: modelKey, size: fc.integer({ min: 1, max: 70 }) }),
  fc.record({ do: fc.constant('replace' as const), key: modelKey, size: fc.integer({ min: 1, max: 70 }) }),
  fc.record({ do: fc.constant('replace stale' as const), key: modelKey }),
  fc.record({ do: fc.constant('read' as const), key: modelKey, start: fc.nat(80), length: fc.nat(80) }),
  fc.record({
    do: fc.constant('list' as const),
    prefix: fc.constantFrom('', 'a', 'b', 'c'),
    after: fc.option(modelKey),
  }),
  fc.record({ do: fc.constant('delete' as const), keys: fc.array(modelKey, { maxLength: 3 }) }),
);

/** Runs random histories against the store and against a map. Each history has a prefix of its own. */
export async function modelTest(store: ObjectStore, pause: () => Promise<void>): Promise<void> {
  let histories = 0;
  let nonce = 0;
  const run = async (steps: readonly (typeof modelStep extends fc.Arbitrary<infer Step> ? Step : never)[]) => {
    const prefix = `model/${histories++}/`;
    const model = new Map<string, { bytes: Uint8Array; version: Version }>();
    const old = new Map<string, Version>();
    for (const step of steps) {
      if (step.do === 'list') {
        const after = step.after === null ? undefined : prefix + step.after;
        const keys = [...model.keys()].map((key) => prefix + key).sort(compareUtf8);
        const expected = keys.filter(
          (key) => key.startsWith(prefix + step.prefix) && (after === undefined || compareUtf8(key, after) > 0),
        );
        expect(await keysOf(store.list(prefix + step.prefix, after))).toEqual(expected);
        continue;
      }
      if (step.do === 'delete') {
        await store.delete(step.keys.map((key) => prefix + key));
        for (const key of step.keys) model.delete(key);
        continue;
      }
      const key = prefix + step.key;
      const current = model.get(step.key);
      if (step.do === 'read') {
        const range = step.length === 0 ? undefined : { start: step.start, end: step.start + step.length };
        if (current === undefined) expect(await store.read(key, range)).toBeUndefined();
        else if (range !== undefined && range.start >= current.bytes.byteLength) {
          await expect(store.read(key, range)).rejects.toEqual(invalid);
        } else {
          const bytes = current.bytes.slice(range?.start, range?.end);
          const stored = { key, size: current.bytes.byteLength, version: current.version, bytes };
          expect(await store.read(key, range)).toEqual(stored);
        }
        continue;
      }
      await pause();
      const bytes = encodeUtf8(`${++nonce}${'.'.repeat('size' in step ? step.size : 1)}`);
      const isCreate = step.do === 'create';
      const version = step.do === 'replace' ? current?.version : old.get(step.key);
      const write = isCreate ? store.create(key, bytes) : store.replace(key, bytes, version ?? ('none' as Version));
      const isRight = isCreate ? current === undefined : step.do === 'replace' && current !== undefined;
      if (isRight) {
        if (current !== undefined) old.set(step.key, current.version);
        model.set(step.key, { bytes, version: await write });
      } else await expect(write).rejects.toEqual(conflict);
    }
    await store.delete([...model.keys()].map((key) => prefix + key));
  };
  await fc.assert(fc.asyncProperty(fc.array(modelStep, { maxLength: 25 }), run), { numRuns: 25 });
}
