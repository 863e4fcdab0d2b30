import type { CallOptions, Embedder, EmbeddingCache } from '../elanus.ts';
import { EMBED_BATCH_DEFAULT } from '../model/limits.ts';
import { type EmbedOptions, embedBatch, fits } from './embed-batch.ts';
import { spaceOf } from './embedding-cache.ts';

/** What the texts of one call share. */
export interface TextsOptions extends EmbedOptions {
  readonly cache: EmbeddingCache | undefined;
  readonly onProgress: CallOptions['onProgress'];
}

/**
 * The texts of one call, embedded part by part. A text that comes several times, in one part or in several, is embedded
 * once, and one that the cache has not at all.
 */
export class TextsOfCall {
  readonly #embedder: Embedder;
  readonly #options: TextsOptions;
  readonly #space: string;
  readonly #total: number;
  #done = 0;
  /** How often each text is still to come. */
  readonly #coming = new Map<string, number>();
  /** Vectors of texts that come again in a later part. */
  readonly #kept = new Map<string, Float32Array>();

  constructor(embedder: Embedder, texts: readonly string[], options: TextsOptions) {
    this.#embedder = embedder;
    this.#options = options;
    this.#space = spaceOf(embedder, options.kind);
    this.#total = texts.length;
    for (const text of texts) this.#coming.set(text, (this.#coming.get(text) ?? 0) + 1);
  }

  /** The vectors of the next texts, in their order. The parts of a call follow each other. */
  async embed(part: readonly string[]): Promise<Float32Array[]> {
    if (this.#options.signal.aborted) throw this.#options.signal.reason;
    const counts = new Map<string, number>();
    for (const text of part) counts.set(text, (counts.get(text) ?? 0) + 1);
    const found = await this.#lookUp([...counts.keys()]);
    this.#progress(found.keys(), counts);
    const missing = [...counts.keys()].filter((text) => !found.has(text));
    await this.#embedMissing(missing, (texts, vectors) => {
      for (const [at, text] of texts.entries()) found.set(text, vectors[at] as Float32Array);
      this.#progress(texts, counts);
    });
    for (const [text, count] of counts) this.#keep(text, count, found.get(text) as Float32Array);
    return part.map((text) => found.get(text) as Float32Array);
  }

  async #lookUp(texts: readonly string[]): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    for (const text of texts) {
      const vector = this.#kept.get(text);
      if (vector !== undefined) found.set(text, vector);
    }
    const unknown = texts.filter((text) => !found.has(text));
    const cached = await this.#cached(unknown);
    for (const [at, text] of unknown.entries()) {
      const vector: unknown = cached[at];
      if (fits(this.#embedder, vector)) found.set(text, vector);
    }
    return found;
  }

  /** Batches by the embedder's wish, as many at once as it takes; the first failure stops the others. */
  async #embedMissing(
    texts: readonly string[],
    done: (texts: readonly string[], vectors: readonly Float32Array[]) => void,
  ): Promise<void> {
    const { batchSize = EMBED_BATCH_DEFAULT, concurrency = 1 } = this.#embedder;
    const { kind, signal } = this.#options;
    let next = 0;
    let hasFailed = false;
    const lane = async (): Promise<void> => {
      while (next < texts.length && !hasFailed) {
        const batch = texts.slice(next, next + batchSize);
        next += batchSize;
        const vectors = await embedBatch(this.#embedder, batch, { kind, signal });
        await this.#cache(batch, vectors);
        if (signal.aborted) throw signal.reason;
        done(batch, vectors);
      }
    };
    const lanes = Math.min(concurrency, Math.ceil(texts.length / batchSize));
    await Promise.all(
      Array.from({ length: lanes }, () =>
        lane().catch((error: unknown) => {
          hasFailed = true;
          throw error;
        }),
      ),
    );
  }

  async #cached(texts: readonly string[]): Promise<readonly (Float32Array | undefined)[]> {
    const { cache } = this.#options;
    if (cache === undefined || texts.length === 0) return [];
    try {
      return await cache.get(this.#space, texts);
    } catch {
      // A cache saves work and has none of its own to lose: without it the texts are embedded.
      return [];
    }
  }

  async #cache(texts: readonly string[], vectors: readonly Float32Array[]): Promise<void> {
    try {
      await this.#options.cache?.set(this.#space, texts, vectors);
    } catch {
      // As above: the vectors are here, and go where they were asked for.
    }
  }

  #keep(text: string, count: number, vector: Float32Array): void {
    const coming = (this.#coming.get(text) ?? count) - count;
    if (coming > 0) {
      this.#coming.set(text, coming);
      this.#kept.set(text, vector);
    } else {
      this.#coming.delete(text);
      this.#kept.delete(text);
    }
  }

  #progress(texts: Iterable<string>, counts: ReadonlyMap<string, number>): void {
    let done = 0;
    for (const text of texts) done += counts.get(text) ?? 0;
    if (done === 0) return;
    this.#done += done;
    this.#options.onProgress?.({ phase: 'embed', done: this.#done, total: this.#total });
  }
}
