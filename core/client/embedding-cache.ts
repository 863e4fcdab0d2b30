import { Lru } from '../base/lru.ts';
import type { Embedder, EmbeddingCache } from '../elanus.ts';
import { EMBEDDING_CACHE_BYTES } from '../model/limits.ts';

/** The most recently used vectors, as many as fit a bound. */
export class MemoryEmbeddingCache implements EmbeddingCache {
  readonly #vectors: Lru<string, Float32Array>;

  /** @param bytesMax of the vectors and their texts */
  constructor(bytesMax: number = EMBEDDING_CACHE_BYTES) {
    this.#vectors = new Lru(bytesMax);
  }

  async get(space: string, texts: readonly string[]): Promise<(Float32Array | undefined)[]> {
    return texts.map((text) => this.#vectors.get(space + text));
  }

  async set(space: string, texts: readonly string[], vectors: readonly Float32Array[]): Promise<void> {
    for (const [at, text] of texts.entries()) {
      const vector = vectors[at] as Float32Array;
      const key = space + text;
      this.#vectors.set(key, vector, vector.byteLength + 2 * key.length);
    }
  }
}

const inMemory = new WeakMap<Embedder, EmbeddingCache>();

/** The cache of an embedder whose collections have none of their own: one for all handles, gone with the embedder. */
export function memoryCacheOf(embedder: Embedder): EmbeddingCache {
  let cache = inMemory.get(embedder);
  if (cache === undefined) {
    cache = new MemoryEmbeddingCache();
    inMemory.set(embedder, cache);
  }
  return cache;
}

/** Names what the vectors of an embedder depend on beside the text. It ends where no other begins: it is JSON. */
export function spaceOf(embedder: Embedder, kind: 'document' | 'query'): string {
  return JSON.stringify([embedder.model, embedder.dimension, embedder.variant ?? '', kind]);
}
