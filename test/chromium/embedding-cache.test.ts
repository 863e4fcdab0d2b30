import { deleteDB } from 'idb';
import { afterEach, describe, expect, test } from 'vitest';
import { type EmbeddingCacheOptions, embeddingCache } from '../../browser/embedding-cache.ts';
import { letterEmbedder, vectorOfText } from '../core/client/letter-embedder.ts';
import { openSource } from './engine.ts';

const names: string[] = [];

function fresh(options: EmbeddingCacheOptions = {}): EmbeddingCacheOptions {
  const name = `embeddings-${crypto.randomUUID()}`;
  names.push(name);
  return { name, ...options };
}

afterEach(() => Promise.all(names.splice(0).map((name) => deleteDB(name))));

const vectorsOf = (texts: readonly string[]): Float32Array[] => texts.map((text) => vectorOfText(text, 'document'));

describe('embedded texts in IndexedDB', () => {
  test('are there for another page, exactly, each in its space', async () => {
    const options = fresh();
    const texts = ['', 'a', 'ä€𝄞', '\ud800', 'a'.repeat(70_000)];
    const writer = embeddingCache(options);
    await writer.set('s', texts, vectorsOf(texts));
    await writer.close();
    const reader = embeddingCache(options);
    expect(await reader.get('s', [...texts, 'b'])).toEqual([...vectorsOf(texts), undefined]);
    expect(await reader.get('other', texts)).toEqual(texts.map(() => undefined));
    await reader.clear();
    expect(await reader.get('s', ['a'])).toEqual([undefined]);
    await reader.close();
  });

  test('stay within their number: those that came first go', async () => {
    const options = fresh({ entriesMax: 10 });
    const [one, two] = [embeddingCache(options), embeddingCache(options)];
    const texts = Array.from({ length: 25 }, (_, at) => `text ${at}`);
    await Promise.all([
      one.set('s', texts.slice(0, 9), vectorsOf(texts.slice(0, 9))),
      two.set('s', ['x', 'x'], vectorsOf(['x', 'x'])),
    ]);
    await one.set('s', texts.slice(9), vectorsOf(texts.slice(9)));
    await two.set('s', texts.slice(15, 20), vectorsOf(texts.slice(15, 20)));
    const found = await two.get('s', texts);
    expect(texts.filter((_, at) => found[at] !== undefined)).toEqual(texts.slice(15));
    await Promise.all([one.close(), two.close()]);
  });

  test('do not keep the site from deleting them, and go on afterwards', async () => {
    const options = fresh();
    const cache = embeddingCache(options);
    await cache.set('s', ['a'], vectorsOf(['a']));
    await deleteDB(options.name ?? '');
    expect(await cache.get('s', ['a'])).toEqual([undefined]);
    await cache.set('s', ['a'], vectorsOf(['a']));
    expect(await cache.get('s', ['a'])).toEqual(vectorsOf(['a']));
    await cache.close();
  });

  test('spare a collection the embedding after a reload', async () => {
    const options = fresh();
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, text: `text ${id % 60}` }));
    for (const expected of [60, 0]) {
      const db = await openSource(`cached-${crypto.randomUUID()}`, { storage: 'memory' });
      const cache = embeddingCache(options);
      const embedder = letterEmbedder();
      const notes = db.collection('notes', {
        fields: { id: { type: 'Int64', primary: true }, text: 'VarChar', vector: 'FloatVector' },
        embedder,
        embeddingCache: cache,
      });
      await notes.create();
      await notes.insert(rows);
      expect(embedder.calls.flatMap(({ texts }) => texts).length).toBe(expected);
      const [row] = await notes.get(99, { outputFields: ['vector'] });
      expect(row?.vector).toEqual(vectorOfText('text 39', 'document'));
      await cache.close();
      await db.destroy();
    }
  });

  test('refuse a bound that is none', () => {
    expect(() => embeddingCache({ entriesMax: 0 })).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
