import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { compareBytes, decodeUtf8, encodeUtf8, toHex } from '../../core/base/bytes.ts';
import { ElanusError } from '../../core/base/error.ts';
import {
  checkKey,
  checkPrefix,
  checkRead,
  checkWrite,
  clipRange,
  keyExists,
  outcomeUnknown,
  versionDiffers,
} from '../../core/storage/check.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';

interface InfoRow {
  readonly size: number;
  readonly version: string;
}

/** A key as its UTF-8 bytes: IndexedDB orders those as the contract does, and texts by UTF-16 units. */
type Name = Uint8Array<ArrayBuffer>;

interface Schema extends DBSchema {
  objects: { key: Name; value: InfoRow };
  pages: { key: [Name, number]; value: Uint8Array<ArrayBuffer> };
}

type WriteTransaction = IDBPTransaction<Schema, ('objects' | 'pages')[], 'readwrite'>;

const STORES: ('objects' | 'pages')[] = ['objects', 'pages'];
/** A range reads whole pages: small enough for that, large enough that 32 MiB are few rows. */
const PAGE_BYTES = 1024 * 1024;
const LIST_BATCH = 256;
const DELETE_BATCH = 1000;
/** How long another connection may take to let go of a database that is to be deleted. */
const DESTROY_WAIT_MS = 5_000;

/**
 * Objects in an IndexedDB database. An object is a row of information and rows of 1 MiB, keyed `[key, page]`, written
 * in one transaction that is on disk when it resolves (`durability: 'strict'`). Versions are random.
 *
 * Each transaction but that of `replace` is committed in the turn that begins it, so that it ends without this thread: a
 * process that is stopped in the midst of one holds the database for all others (in Chrome for a minute, or until it
 * goes on).
 *
 * Works in pages and workers, in several tabs at once. A store whose database is deleted elsewhere closes itself.
 */
export class IndexedDbStore implements ObjectStore {
  /** The database's name. */
  readonly name: string;
  /** Resolves with the reason when the database is taken from this store: deleted elsewhere, or its data cleared. */
  readonly lost: Promise<string>;
  readonly #database: IDBPDatabase<Schema>;
  #closed: string | undefined;

  private constructor(name: string, database: IDBPDatabase<Schema>, lost: Promise<string>) {
    this.name = name;
    this.#database = database;
    this.lost = lost;
    void lost.then((reason) => {
      this.#closed ??= reason;
    });
  }

  /** Opens the database `name` of this origin, creating it if need be. */
  static async open(name: string): Promise<IndexedDbStore> {
    const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
    try {
      const database = await openDB<Schema>(name, 1, {
        upgrade(created) {
          created.createObjectStore('objects');
          created.createObjectStore('pages');
        },
        blocking(_current, _blocked, event) {
          (event.target as IDBDatabase).close();
          lose('it is being deleted or upgraded elsewhere');
        },
        terminated() {
          lose('the browser has closed it, as it does when it clears the data of a site');
        },
      });
      return new IndexedDbStore(name, database, lost);
    } catch (error) {
      if (nameOf(error) === 'VersionError') {
        throw new ElanusError('unsupported', `A newer Elanus wrote the database ${name}. Use that.`, { cause: error });
      }
      throw toElanusError('open', name, error);
    }
  }

  /** Deletes the database `name`; rejects with `locked` if somebody holds on to it, and deletes it when he lets go. */
  static async destroy(name: string): Promise<void> {
    const { promise: blocked, reject } = Promise.withResolvers<never>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deleted = deleteDB(name, {
      blocked() {
        const error = new ElanusError('locked', `The database ${name} is open elsewhere. Close the other tabs.`);
        timer = setTimeout(() => reject(error), DESTROY_WAIT_MS);
      },
    });
    try {
      await Promise.race([deleted, blocked]);
    } catch (error) {
      throw toElanusError('destroy', name, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes the connection: later calls reject with `closed`, those under way finish. */
  close(): void {
    this.#closed ??= 'close() was called';
    this.#database.close();
  }

  async create(key: string, bytes: Uint8Array): Promise<Version> {
    checkWrite(key, bytes);
    const name = encodeUtf8(key);
    const rows = rowsOf(bytes);
    return this.#write('create', key, (transaction) => {
      const stored = storeRows(transaction, name, rows, 'add');
      transaction.commit();
      return stored;
    });
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    checkWrite(key, bytes);
    const name = encodeUtf8(key);
    const rows = rowsOf(bytes);
    return this.#write('replace', key, async (transaction) => {
      const info = await transaction.objectStore('objects').get(name);
      if (info?.version !== expected) throw versionDiffers(key, expected);
      const removed = transaction.objectStore('pages').delete(pagesOf(name));
      const [version] = await Promise.all([storeRows(transaction, name, rows, 'put'), removed]);
      return version;
    });
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    checkRead(key, range);
    const name = encodeUtf8(key);
    const firstPage = Math.floor((range?.start ?? 0) / PAGE_BYTES);
    const lastPage = range?.end === undefined ? Number.POSITIVE_INFINITY : Math.floor((range.end - 1) / PAGE_BYTES);
    const [info, pages] = await this.#asking('read', key, (database) => {
      const transaction = database.transaction(STORES, 'readonly');
      const asked = Promise.all([
        transaction.objectStore('objects').get(name),
        transaction.objectStore('pages').getAll(pagesOf(name, firstPage, lastPage)),
        transaction.done,
      ]);
      transaction.commit();
      return asked;
    });
    if (info === undefined) return undefined;
    const { start, end } = clipRange(key, range, info.size);
    const bytes = new Uint8Array(end - start);
    let offset = firstPage * PAGE_BYTES;
    for (const page of pages) {
      const part = page.subarray(Math.max(0, start - offset), Math.max(0, end - offset));
      bytes.set(part, Math.max(0, offset - start));
      offset += page.byteLength;
    }
    if (offset < end) {
      const message = `The object ${key} is damaged: it has ${info.size} bytes, and pages are missing. Restore it.`;
      throw new ElanusError('corrupt', message, { details: { key } });
    }
    return { key, size: info.size, version: info.version as Version, bytes };
  }

  /** Each batch has a transaction of its own, so that none is held while the consumer is busy. */
  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix, after);
    let range = listRange(encodeUtf8(prefix), after === undefined ? undefined : encodeUtf8(after));
    while (range !== undefined) {
      const batch = range;
      const [names, infos] = await this.#asking('list', prefix, (database) => {
        const transaction = database.transaction('objects', 'readonly');
        const objects = transaction.store;
        const asked = Promise.all([
          objects.getAllKeys(batch, LIST_BATCH),
          objects.getAll(batch, LIST_BATCH),
          transaction.done,
        ]);
        transaction.commit();
        return asked;
      });
      let last: Name | undefined;
      for (const [index, { size, version }] of infos.entries()) {
        last = new Uint8Array(names[index] as unknown as ArrayBuffer);
        yield { key: decodeUtf8(last), size, version: version as Version };
      }
      range = infos.length < LIST_BATCH ? undefined : listRange(encodeUtf8(prefix), last);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    for (let start = 0; start < keys.length; start += DELETE_BATCH) {
      const batch = keys.slice(start, start + DELETE_BATCH).map(encodeUtf8);
      await this.#write('delete', keys[start] ?? '', async (transaction) => {
        const objects = transaction.objectStore('objects');
        const pages = transaction.objectStore('pages');
        const deleted = batch.flatMap((name) => [objects.delete(name), pages.delete(pagesOf(name))]);
        transaction.commit();
        await Promise.all(deleted);
      });
    }
  }

  /** Runs a write in one transaction, and resolves when it is on disk. What it throws undoes it. */
  #write<T>(what: string, key: string, write: (transaction: WriteTransaction) => Promise<T>): Promise<T> {
    return this.#asking(what, key, async (database) => {
      const transaction = database.transaction(STORES, 'readwrite', { durability: 'strict' });
      // An abort is heard twice, here and by the request that failed; the first to be heard tells why.
      const done = transaction.done;
      done.catch(() => {});
      try {
        // Waited for together: when a full disk ends a transaction that commits, Chrome may tell its requests nothing.
        const [result] = await Promise.all([write(transaction), done]);
        return result;
      } catch (error) {
        try {
          transaction.abort();
        } catch {
          // It has ended already.
        }
        await done.catch(() => {});
        throw transaction.error ?? error;
      }
    });
  }

  async #asking<T>(what: string, key: string, ask: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw this.#closedError(this.#closed);
    try {
      return await ask(this.#database);
    } catch (error) {
      // A connection that has ended by itself is noticed here before its event comes.
      if (nameOf(error) === 'InvalidStateError') throw this.#closedError(this.#closed ?? 'the browser has closed it');
      throw toElanusError(what, key, error);
    }
  }

  #closedError(why: string): ElanusError {
    return new ElanusError('closed', `The database ${this.name} is closed: ${why}. Open it again.`);
  }
}

interface ObjectRows {
  readonly info: InfoRow & { readonly version: Version };
  readonly pages: readonly Uint8Array<ArrayBuffer>[];
}

/** An object's rows, made before the transaction begins. Pages are copies: what is cloned is a view's whole buffer. */
function rowsOf(bytes: Uint8Array): ObjectRows {
  const version = toHex(crypto.getRandomValues(new Uint8Array(16))) as Version;
  const pages: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 0; start < bytes.byteLength; start += PAGE_BYTES) {
    pages.push(new Uint8Array(bytes.subarray(start, start + PAGE_BYTES)));
  }
  return { info: { size: bytes.byteLength, version }, pages };
}

/** Stores an object's rows, of which no pages may exist; `add` fails, and undoes all, if the object does. */
async function storeRows(
  transaction: WriteTransaction,
  name: Name,
  { info, pages }: ObjectRows,
  how: 'add' | 'put',
): Promise<Version> {
  const stored = pages.map((page, at) => transaction.objectStore('pages').put(page, [name, at]));
  await Promise.all([transaction.objectStore('objects')[how](info, name), ...stored]);
  return info.version;
}

function pagesOf(name: Name, first: number = 0, last: number = Number.POSITIVE_INFINITY): IDBKeyRange {
  return IDBKeyRange.bound([name, first], [name, last]);
}

/** The names with a prefix that come after `after`; undefined if there can be none. */
function listRange(prefix: Name, after: Name | undefined): IDBKeyRange | undefined {
  const isAfter = after !== undefined && compareBytes(after, prefix) >= 0;
  const lower = isAfter ? after : prefix;
  if (prefix.byteLength === 0) return IDBKeyRange.lowerBound(lower, isAfter);
  // The last byte of UTF-8 is never 0xFF, so that the next greater one is the bound of all that begins so.
  const upper = prefix.slice();
  const last = upper.byteLength - 1;
  upper[last] = (upper[last] ?? 0) + 1;
  return compareBytes(lower, upper) < 0 ? IDBKeyRange.bound(lower, upper, isAfter, true) : undefined;
}

function nameOf(error: unknown): string {
  return String((error as { name?: unknown } | null)?.name);
}

function toElanusError(what: string, key: string, error: unknown): ElanusError {
  if (error instanceof ElanusError) return error;
  switch (nameOf(error)) {
    case 'ConstraintError':
      return keyExists(key);
    case 'QuotaExceededError':
      return new ElanusError('quota', `The browser gives no more space for ${key}. Delete something.`, {
        details: { key },
        cause: error,
      });
    case 'NotReadableError':
      return new ElanusError('corrupt', `The browser cannot read ${key} any more. Restore it from a copy.`, {
        details: { key },
        cause: error,
      });
    default:
      return outcomeUnknown(what, key, error);
  }
}
