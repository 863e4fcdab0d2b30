import { codeOf, ElanusError } from '../base/error.ts';
import { nonce, type Random } from '../base/random.ts';
import type { CollectionMeta } from '../model/schema.ts';
import { createCertainly, replaceCertainly } from '../storage/certain.ts';
import { decodeDocument, encodeDocument } from '../storage/document.ts';
import type { ObjectStore, Version } from '../storage/object-store.ts';
import type { Clock } from '../time/clock.ts';
import { type Catalog, emptyCatalog } from './catalog.ts';

const KEY = 'catalog';
const KIND = 'CTLG';
const META_KIND = 'META';
const FORMAT = 1;
const ATTEMPTS_MAX = 16;

/** A pure change of the catalog; the same catalog means that there is nothing to write. It may run more than once. */
export type CatalogEdit = (catalog: Catalog) => Catalog;

interface Waiting {
  readonly edit: CatalogEdit;
  readonly resolve: (catalog: Catalog) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Where the catalog is kept. Edits that arrive while a write is under way go into one `replace` together: R2 takes one
 * write a second to one key.
 */
export class CatalogStore {
  readonly #objects: ObjectStore;
  readonly #host: { readonly clock: Clock; readonly random: Random };
  #waiting: Waiting[] = [];
  #writing = false;

  constructor(objects: ObjectStore, host: { readonly clock: Clock; readonly random: Random }) {
    this.#objects = objects;
    this.#host = host;
  }

  /** The catalog as it is stored now. */
  async read(): Promise<Catalog> {
    return (await this.#load()).catalog;
  }

  /** Applies an edit; resolves with the catalog that holds it, once that is durable. An edit that throws changes nothing. */
  update(edit: CatalogEdit): Promise<Catalog> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ edit, resolve, reject });
      if (!this.#writing) void this.#drain();
    });
  }

  /** Writes a collection's meta object: create-only, before the catalog names it. */
  async createMeta(meta: CollectionMeta): Promise<void> {
    await createCertainly(
      this.#objects,
      metaKey(meta.id, meta.version),
      encodeDocument(META_KIND, FORMAT, encodeMeta(meta)),
      this.#host.clock,
    );
  }

  /** A collection's meta; undefined if there is none (it was dropped, and its objects are gone). */
  async readMeta(id: number, version: number): Promise<CollectionMeta | undefined> {
    const key = metaKey(id, version);
    const object = await this.#objects.read(key);
    if (object === undefined) return undefined;
    return decodeMeta(decodeDocument(META_KIND, FORMAT, object.bytes, key));
  }

  async #load(): Promise<{ readonly catalog: Catalog; readonly version: Version | undefined }> {
    const object = await this.#objects.read(KEY);
    if (object === undefined) return { catalog: emptyCatalog(), version: undefined };
    return { catalog: decodeDocument(KIND, FORMAT, object.bytes, KEY) as Catalog, version: object.version };
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = false;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const current = await this.#load();
      const { next, outcomes } = applyAll(current.catalog, batch);
      if (next === current.catalog || (await this.#replace(next, current.version))) {
        batch.forEach(({ resolve, reject }, index) => {
          const failure = outcomes[index];
          if (failure === undefined) resolve(next);
          else reject(failure.error);
        });
        return;
      }
    }
    throw new ElanusError('unavailable', 'The catalog is contended; try again.');
  }

  async #replace(next: Catalog, expected: Version | undefined): Promise<boolean> {
    const catalog: Catalog = { ...next, revision: next.revision + 1, nonce: nonce(this.#host.random) };
    const bytes = encodeDocument(KIND, FORMAT, catalog);
    try {
      if (expected === undefined) await createCertainly(this.#objects, KEY, bytes, this.#host.clock);
      else await replaceCertainly(this.#objects, KEY, bytes, expected, this.#host.clock);
      return true;
    } catch (error) {
      if (codeOf(error) === 'conflict') return false;
      throw error;
    }
  }
}

type Outcome = { readonly error: unknown } | undefined;

function applyAll(catalog: Catalog, batch: readonly Waiting[]): { next: Catalog; outcomes: Outcome[] } {
  let next = catalog;
  const outcomes = batch.map(({ edit }): Outcome => {
    try {
      next = edit(next);
      return undefined;
    } catch (error) {
      return { error };
    }
  });
  return { next, outcomes };
}

function metaKey(id: number, version: number): string {
  return `collections/${id}/meta/${version}`;
}

/** JSON has no 64-bit integer: an Int64 default is stored as its digits. */
function encodeMeta(meta: CollectionMeta): unknown {
  const fields = meta.schema.fields.map((field) =>
    typeof field.defaultValue === 'bigint' ? { ...field, defaultValue: { int64: String(field.defaultValue) } } : field,
  );
  return { ...meta, schema: { ...meta.schema, fields } };
}

function decodeMeta(document: unknown): CollectionMeta {
  const meta = document as CollectionMeta;
  const fields = meta.schema.fields.map((field) => {
    const stored: unknown = field.defaultValue;
    if (typeof stored !== 'object' || stored === null || !('int64' in stored)) return field;
    return { ...field, defaultValue: BigInt(String(stored.int64)) };
  });
  return { ...meta, schema: { ...meta.schema, fields } };
}
