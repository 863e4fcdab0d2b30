import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareUtf8, encodeUtf8 } from '../../core/base/bytes.ts';
import { codeOf } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import { KEY_BYTES_MAX, OBJECT_BYTES_MAX } from '../../core/model/limits.ts';
import type { ObjectInfo, ObjectStore, Version } from '../../core/storage/object-store.ts';
import { settle } from '../fakes/simulated-clock.ts';
import { keysOf, modelTest } from './object-store-model.ts';

// Longer than 400 lines: one contract is one suite, so that no host can run half of it.

/** A store to be tested, and what the suite must know of the host it lives in. */
export interface StoreHost {
  /** Empty at the beginning of the suite, or at least without keys under the prefixes that the suite makes. */
  readonly store: ObjectStore;
  /** The longest key that this store takes, in bytes; `KEY_BYTES_MAX` by default. A prefix store takes less. */
  readonly keyBytesMax?: number;
  /** Called before every write of a key that was written before: stores with a limit of rate let time pass here. */
  readonly pause?: () => Promise<void>;
  readonly close?: () => Promise<void>;
}

/** Takes the one right answer out of what a race gave; the losers' codes are all that they may tell. */
function winners(outcomes: readonly PromiseSettledResult<Version>[]): Version[] {
  const versions: Version[] = [];
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') versions.push(outcome.value);
    else expect(['conflict', 'overloaded']).toContain(codeOf(outcome.reason));
  }
  return versions;
}

const invalid = expect.objectContaining({ code: 'invalid' });
const conflict = expect.objectContaining({ code: 'conflict' });

async function collect(list: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> {
  const infos: ObjectInfo[] = [];
  for await (const info of list) infos.push(info);
  return infos;
}

/** Bytes that differ from seed to seed, and do not repeat at any page or block size. */
export function someBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = seededRandom(seed);
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, random);
  return new Uint8Array(words.buffer, 0, length).slice();
}

/**
 * The contract of `ObjectStore`, as tests. Every implementation and every wrapper runs it in its real host. `make` is
 * called once; each test keeps to keys of its own.
 */
export function objectStoreSuite(name: string, make: () => Promise<StoreHost>): void {
  describe(`object store: ${name}`, () => {
    let host: StoreHost;
    let store: ObjectStore;
    const pause = async () => host.pause?.();
    beforeAll(async () => {
      host = await make();
      store = host.store;
    });
    afterAll(async () => host?.close?.());

    test('an object is created once, and read as it was written', async () => {
      const bytes = someBytes(1000, 1);
      const version = await store.create('create/a', bytes);
      const stored = { key: 'create/a', size: 1000, version, bytes };
      expect(await store.read('create/a')).toEqual(stored);
      await pause();
      await expect(store.create('create/a', someBytes(10, 2))).rejects.toEqual(conflict);
      await pause();
      await expect(store.create('create/a', bytes)).rejects.toEqual(conflict);
      expect(await store.read('create/a')).toEqual(stored);
      expect(await store.read('create/absent')).toBeUndefined();
      expect(await store.read('create/absent', { start: 5 })).toBeUndefined();
    });

    test('only who knows the version replaces', async () => {
      const first = await store.create('replace/a', encodeUtf8('first, and longer'));
      await pause();
      const second = await store.replace('replace/a', encodeUtf8('second'), first);
      expect(second).not.toBe(first);
      await pause();
      await expect(store.replace('replace/a', encodeUtf8('third'), first)).rejects.toEqual(conflict);
      await expect(store.replace('replace/absent', encodeUtf8('x'), first)).rejects.toEqual(conflict);
      for (const version of ['', '*', '"*"', `"${second}"`, `W/"${second}"`, `${second}0`, 'unknown', 'ä']) {
        await pause();
        await expect(store.replace('replace/a', encodeUtf8('x'), version as Version)).rejects.toEqual(conflict);
      }
      const stored = { key: 'replace/a', size: 6, version: second, bytes: encodeUtf8('second') };
      expect(await store.read('replace/a')).toEqual(stored);
      expect(await collect(store.list('replace/'))).toEqual([{ key: 'replace/a', size: 6, version: second }]);
    });

    test('a deleted object is gone for its version too, and its key can be created again', async () => {
      const first = await store.create('again/a', encodeUtf8('first'));
      await store.delete(['again/a']);
      expect(await store.read('again/a')).toBeUndefined();
      await pause();
      await expect(store.replace('again/a', encodeUtf8('second'), first)).rejects.toEqual(conflict);
      await pause();
      await store.create('again/a', encodeUtf8('third'));
      await pause();
      await expect(store.replace('again/a', encodeUtf8('fourth'), first)).rejects.toEqual(conflict);
      expect((await store.read('again/a'))?.bytes).toEqual(encodeUtf8('third'));
    });

    test('other bytes have another version: who never writes the same bytes twice meets no ABA', async () => {
      // Equal bytes may have equal versions (R2's are hashes), so nothing is promised of a version that comes back.
      const versions = [await store.create('aba/a', encodeUtf8('nonce 0'))];
      for (let round = 1; round < 8; round++) {
        await pause();
        versions.push(await store.replace('aba/a', encodeUtf8(`nonce ${round}`), versions[round - 1]!));
      }
      expect(new Set(versions).size).toBe(8);
    });

    test('of eight concurrent creators exactly one wins', async () => {
      for (let round = 0; round < 5; round++) {
        const key = `race/create/${round}`;
        const bytes = Array.from({ length: 8 }, (_, index) => encodeUtf8(`creator ${index} of ${round}`));
        const outcomes = await Promise.allSettled(bytes.map((candidate) => store.create(key, candidate)));
        expect(winners(outcomes)).toHaveLength(1);
        const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
        const stored = await store.read(key);
        expect(stored?.bytes).toEqual(bytes[winner]);
        expect([stored?.version]).toEqual(winners(outcomes));
      }
    });

    test('of eight concurrent replacers exactly one wins', async () => {
      for (let round = 0; round < 5; round++) {
        const key = `race/replace/${round}`;
        const before = await store.create(key, encodeUtf8('before'));
        await pause();
        const bytes = Array.from({ length: 8 }, (_, index) => encodeUtf8(`replacer ${index} of ${round}`));
        const outcomes = await Promise.allSettled(bytes.map((candidate) => store.replace(key, candidate, before)));
        expect(winners(outcomes)).toHaveLength(1);
        const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
        expect((await store.read(key))?.bytes).toEqual(bytes[winner]);
      }
    });

    test('a reader during replacements sees one whole object, and never an older one after a newer one', async () => {
      const whole = (round: number) => new Uint8Array(300_000).fill(round);
      let version = await store.create('whole/a', whole(0));
      let isDone = false;
      const seen: number[] = [];
      const reading = (async () => {
        while (!isDone) {
          const stored = await store.read('whole/a');
          expect(new Set(stored?.bytes).size).toBe(1);
          seen.push(stored?.bytes[0] ?? -1);
          // A store that answers at once would otherwise never let the writer's clock move.
          await settle();
        }
      })();
      for (let round = 1; round <= 10; round++) {
        await pause();
        version = await store.replace('whole/a', whole(round), version);
        expect((await store.read('whole/a', { start: 299_999 }))?.bytes).toEqual(new Uint8Array([round]));
      }
      isDone = true;
      await reading;
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
    });

    test('ranges are half open, clipped at the end, and hold at least one byte', async () => {
      const bytes = someBytes(1000, 3);
      const version = await store.create('range/a', bytes);
      for (const [start, end] of [
        [0, 1],
        [0, 1000],
        [999, 1000],
        [1, 999],
        [500, 501],
        [0, undefined],
        [999, undefined],
        [10, 5000],
        [0, Number.MAX_SAFE_INTEGER],
      ] as const) {
        const stored = await store.read('range/a', end === undefined ? { start } : { start, end });
        expect(stored).toEqual({ key: 'range/a', size: 1000, version, bytes: bytes.slice(start, end) });
      }
      for (const range of [
        { start: 1000 },
        { start: 1000, end: 1001 },
        { start: 5000, end: 6000 },
        { start: 5, end: 5 },
        { start: 5, end: 4 },
        { start: -1 },
        { start: -5, end: 5 },
        { start: 0.5 },
        { start: 0, end: 1.5 },
        { start: Number.NaN },
        { start: 0, end: Number.POSITIVE_INFINITY },
      ]) {
        await expect(store.read('range/a', range)).rejects.toEqual(invalid);
      }
    });

    test('the store keeps no bytes of the caller and hands out none of its own', async () => {
      const buffer = someBytes(300, 4);
      const original = buffer.slice(100, 200);
      await store.create('copy/a', buffer.subarray(100, 200));
      buffer.fill(0);
      const first = await store.read('copy/a');
      expect(first?.bytes).toEqual(original);
      first?.bytes.fill(1);
      expect((await store.read('copy/a'))?.bytes).toEqual(original);
      const part = await store.read('copy/a', { start: 10, end: 20 });
      part?.bytes.fill(2);
      expect((await store.read('copy/a', { start: 10, end: 20 }))?.bytes).toEqual(original.slice(10, 20));
      structuredClone(part?.bytes, { transfer: [part!.bytes.buffer] });
      expect((await store.read('copy/a'))?.bytes).toEqual(original);
    });

    test('other keys, sizes and prefixes are invalid, and nothing is written', async () => {
      const bytes = encodeUtf8('x');
      const longest = host.keyBytesMax ?? KEY_BYTES_MAX;
      const tooLong = [`invalid/${'x'.repeat(KEY_BYTES_MAX)}`, `invalid/${'ä'.repeat(KEY_BYTES_MAX / 2)}`];
      for (const key of ['', 'invalid/\ud800', '\udc00', ...tooLong, 7 as unknown as string]) {
        await expect(store.create(key, bytes)).rejects.toEqual(invalid);
        await expect(store.replace(key, bytes, 'v' as Version)).rejects.toEqual(invalid);
        await expect(store.read(key)).rejects.toEqual(invalid);
        await expect(store.delete(['invalid/a', key])).rejects.toEqual(invalid);
      }
      await expect(store.create('invalid/a', new Uint8Array(0))).rejects.toEqual(invalid);
      await expect(store.create('invalid/a', new Uint8Array(OBJECT_BYTES_MAX + 1))).rejects.toEqual(invalid);
      const version = await store.create('invalid/kept', bytes);
      await expect(store.replace('invalid/kept', new Uint8Array(0), version)).rejects.toEqual(invalid);
      await expect(store.delete(['invalid/kept', ''])).rejects.toEqual(invalid);
      await expect(collect(store.list('invalid/\ud800'))).rejects.toEqual(invalid);
      await expect(collect(store.list('invalid/', '\ud800'))).rejects.toEqual(invalid);
      expect(await keysOf(store.list('invalid/'))).toEqual(['invalid/kept']);
      const long = `long/${'ä'.repeat((longest - 6) / 2)}`.padEnd(longest - Math.floor((longest - 6) / 2), 'x');
      expect(encodeUtf8(long).byteLength).toBe(longest);
      await store.create(long, bytes);
      expect(await keysOf(store.list('long/'))).toEqual([long]);
      expect((await store.read(long))?.bytes).toEqual(bytes);
    });

    test('keys are any text, compared by their UTF-8 bytes', async () => {
      const names = [
        'a',
        'a ',
        'a!',
        'a/',
        'a/b',
        'a/b/',
        'a0',
        'aa',
        'A',
        '\u00e4',
        'a\u0308',
        'ß',
        '日本',
        '\u{ff5e}',
        '\u{10000}',
      ];
      names.push(
        '\u{1f600}',
        '\uffff',
        '\u0001',
        '\u007f',
        '%2F',
        '..',
        '.',
        '../a',
        'a\\b',
        "a'b",
        'a"b',
        'a?b#c&d=e',
      );
      names.push('a+b', 'a%b', 'a*b', ' ', 'a\nb', '\ufeffa', '__proto__', 'constructor', 'x'.repeat(255));
      const keys = names.map((text) => `text/${text}`);
      await Promise.all(keys.map((key) => store.create(key, encodeUtf8(`of ${key}`))));
      const sorted = [...keys].sort(compareUtf8);
      expect(await keysOf(store.list('text/'))).toEqual(sorted);
      for (const key of keys) expect((await store.read(key))?.bytes).toEqual(encodeUtf8(`of ${key}`));
      for (const [index, key] of sorted.entries()) {
        expect(await keysOf(store.list('text/', key))).toEqual(sorted.slice(index + 1));
        expect(await keysOf(store.list(key))).toEqual(sorted.filter((other) => other.startsWith(key)));
      }
      await store.delete(keys);
      expect(await keysOf(store.list('text/'))).toEqual([]);
    });

    test('a list begins after a key, whether it exists or not, and keeps to its prefix', async () => {
      for (const key of ['list/a/1', 'list/a/2', 'list/a/3', 'list/b/1', 'listing']) {
        await store.create(key, encodeUtf8(key));
      }
      expect(await keysOf(store.list('list/'))).toEqual(['list/a/1', 'list/a/2', 'list/a/3', 'list/b/1']);
      expect(await keysOf(store.list('list/a/', 'list/a/1'))).toEqual(['list/a/2', 'list/a/3']);
      expect(await keysOf(store.list('list/a/', 'list/a/10'))).toEqual(['list/a/2', 'list/a/3']);
      expect(await keysOf(store.list('list/a/', 'list/a/3'))).toEqual([]);
      expect(await keysOf(store.list('list/a/', 'list/b'))).toEqual([]);
      expect(await keysOf(store.list('list/b/', 'list/a'))).toEqual(['list/b/1']);
      expect(await keysOf(store.list('list/b/', ''))).toEqual(['list/b/1']);
      expect(await keysOf(store.list('list/absent'))).toEqual([]);
      expect((await keysOf(store.list(''))).filter((key) => key.startsWith('list/a'))).toHaveLength(3);
      const read = await store.read('list/a/2');
      const [second] = await collect(store.list('list/a/2'));
      expect(second).toEqual({ key: 'list/a/2', size: 8, version: read?.version });
    });

    test('a list sees each write that resolved before, goes over pages, and can be left', async () => {
      const keys = Array.from({ length: 1205 }, (_, index) => `pages/${String(index).padStart(5, '0')}`);
      for (let start = 0; start < keys.length; start += 100) {
        await Promise.all(keys.slice(start, start + 100).map((key) => store.create(key, encodeUtf8(key))));
        expect(await keysOf(store.list('pages/'))).toEqual(keys.slice(0, start + 100));
      }
      expect(await keysOf(store.list('pages/', keys[1003]))).toEqual(keys.slice(1004));
      for await (const info of store.list('pages/')) if (info.key === keys[3]) break;
      // The consumer may take its time and use the store meanwhile.
      let count = 0;
      for await (const info of store.list('pages/')) {
        if (count++ % 200 === 0) expect((await store.read(info.key))?.bytes).toEqual(encodeUtf8(info.key));
      }
      expect(count).toBe(1205);
      await store.delete(keys.slice(0, 1203));
      expect(await keysOf(store.list('pages/'))).toEqual(keys.slice(1203));
      await store.delete(keys);
      await store.delete([]);
      expect(await keysOf(store.list('pages/'))).toEqual([]);
    });

    test('an object of several MiB is read whole and by ranges', async () => {
      const bytes = someBytes(5 * 1024 * 1024 + 123, 5);
      const version = await store.create('large/a', bytes);
      const same = (a: Uint8Array | undefined, b: Uint8Array) => {
        // Deep equality of millions of numbers is slow: compare as 64-bit words where the lengths agree.
        expect(a?.byteLength).toBe(b.byteLength);
        expect(b.every((byte, index) => byte === a?.[index])).toBe(true);
      };
      same((await store.read('large/a'))?.bytes, bytes);
      const mib = 1024 * 1024;
      for (const [start, end] of [
        [0, 16],
        [mib - 1, mib + 1],
        [mib, 2 * mib],
        [mib - 7, 4 * mib + 9],
        [5 * mib, 9 * mib],
        [bytes.byteLength - 1, bytes.byteLength],
      ] as const) {
        same((await store.read('large/a', { start, end }))?.bytes, bytes.slice(start, end));
      }
      await pause();
      const smaller = await store.replace('large/a', someBytes(2 * mib + 1, 6), version);
      same((await store.read('large/a'))?.bytes, someBytes(2 * mib + 1, 6));
      await pause();
      const grown = await store.replace('large/a', someBytes(3 * mib, 7), smaller);
      same((await store.read('large/a', { start: 2 * mib }))?.bytes, someBytes(3 * mib, 7).slice(2 * mib));
      expect((await collect(store.list('large/')))[0]).toEqual({ key: 'large/a', size: 3 * mib, version: grown });
      await store.delete(['large/a']);
      expect(await store.read('large/a', { start: 2 * mib, end: 3 * mib })).toBeUndefined();
    });

    test('random operations do what they do to a map', () => modelTest(store, pause), 120_000);
  });
}
