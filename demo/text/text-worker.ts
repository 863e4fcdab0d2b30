import { expose, type ProxyMarked, transfer } from 'comlink';
import type { RowInput } from 'elanus/browser';
import { type TransformersProgress, transformersEmbedder } from '../../core/client/transformers-embedder.ts';
import { carryErrors } from '../../wasm/carry-errors.ts';
import { loadProducts, type Product } from '../data/products.ts';
import type { Embedder } from '../embedder/embedder.ts';
import { loadModel } from '../embedder/load.ts';
import { encodeJsonLines } from '../export/json-lines.ts';
import type { FileFormat } from '../import/file-row.ts';
import type { PlannedColumn } from '../import/plan.ts';
import { RowReader, type RowsRead } from '../import/row-reader.ts';
import { type FileFacts, scanFile } from '../import/scan.ts';

/**
 * What a worker does for the page, so that no text is ever parsed or embedded where a person types: the page's own
 * embedder, the products, files that are imported, rows that are exported.
 */
class TextWorker {
  #embedder: Promise<Embedder> | undefined;
  readonly #transformers = new Map<string, Embedder>();
  #products: Promise<Product[]> | undefined;
  readonly #readers = new Map<number, RowReader>();
  #readerCount = 0;

  /** The name and the dimension of the page's own embedder; loads it. */
  async model(): Promise<{ readonly model: string; readonly dimension: number }> {
    const { model, dimension } = await this.#own();
    return { model, dimension };
  }

  async embed(texts: readonly string[], kind: 'document' | 'query'): Promise<Float32Array[]> {
    const vectors = await (await this.#own()).embed(texts, { kind });
    return transfer(
      vectors,
      vectors.map(({ buffer }) => buffer as ArrayBuffer),
    );
  }

  /**
   * Loads a Transformers.js model, after `confirm` has said yes to the addresses; `embedWith` embeds with it. It runs
   * here, because its arithmetic would stop the page.
   */
  async loadTransformers(
    source: { readonly moduleUrl: string; readonly model: string },
    confirm: ((urls: readonly string[]) => Promise<boolean>) & ProxyMarked,
    onProgress: ((progress: TransformersProgress) => void) & ProxyMarked,
  ): Promise<Omit<Embedder, 'embed'>> {
    const embedder = await transformersEmbedder({ ...source, confirm, onProgress });
    this.#transformers.set(`${source.moduleUrl} ${source.model}`, embedder);
    const { embed, ...facts } = embedder;
    return facts;
  }

  async embedWith(
    { moduleUrl, model }: { readonly moduleUrl: string; readonly model: string },
    texts: readonly string[],
    kind: 'document' | 'query',
  ): Promise<Float32Array[]> {
    return (await this.#transformers.get(`${moduleUrl} ${model}`)?.embed(texts, { kind })) ?? [];
  }

  /** Products `start` to `end` of the shop, and how many there are. */
  async products(start: number, end: number): Promise<{ readonly products: Product[]; readonly total: number }> {
    this.#products ??= loadProducts();
    const all = await this.#products;
    return { products: all.slice(start, end), total: all.length };
  }

  /** Reads a whole file and says what it is; see `scanFile`. */
  scan(file: File, onProgress: ((bytes: number) => void) & ProxyMarked): Promise<FileFacts> {
    let told = 0;
    return scanFile(file, file.name, async (bytes) => {
      // Waiting for the page now and then also lets a search's text be embedded in between.
      if (bytes - told < 4 * 1024 * 1024 && bytes < file.size) return;
      told = bytes;
      await onProgress(bytes);
    });
  }

  /** Begins to read the rows of a scanned file; `nextRows` gives them, `endRows` lets go. */
  beginRows(file: File, format: FileFormat, columns: readonly PlannedColumn[], rowNumber: string | undefined): number {
    this.#readerCount++;
    this.#readers.set(this.#readerCount, new RowReader(file, { format, columns, rowNumber }));
    return this.#readerCount;
  }

  /** At most `count` rows as a collection takes them; undefined after the last. */
  async nextRows(reader: number, count: number): Promise<RowsRead | undefined> {
    return this.#readers.get(reader)?.next(count);
  }

  async endRows(reader: number): Promise<void> {
    await this.#readers.get(reader)?.end();
    this.#readers.delete(reader);
  }

  /** Rows as JSON lines in UTF-8. */
  encodeRows(rows: readonly RowInput[]): Uint8Array {
    const bytes = encodeJsonLines(rows);
    return transfer(bytes, [bytes.buffer as ArrayBuffer]);
  }

  #own(): Promise<Embedder> {
    this.#embedder ??= loadModel();
    return this.#embedder;
  }
}

export type { TextWorker };

carryErrors();
expose(new TextWorker());
