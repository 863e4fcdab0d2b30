import { encodeUtf8, toHex } from '../../core/base/bytes.ts';
import { codeOf } from '../../core/base/error.ts';
import { Lru } from '../../core/base/lru.ts';
import { Mutex } from '../../core/base/mutex.ts';
import { checkKey, checkRead, checkWrite } from '../../core/storage/check.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';
import { encodeHeader, OpfsFile } from './opfs-file.ts';

export interface OpfsCacheOptions {
  /** Which keys to cache; they must name immutable objects. By default those with `/segments/` in them. */
  readonly cached?: (key: string) => boolean;
  /** The bytes that the files may take together; 256 MiB by default. */
  readonly bytesMax?: number;
}

/** What is known of a file. */
interface Entry {
  /** False while the file is being written. */
  isWritten: boolean;
  /** Set once the header was read. */
  file: OpfsFile | undefined;
}

const ROOT = 'elanus-cache';
const BYTES_MAX = 256 * 1024 * 1024;
/** Objects that wait to be cached; further ones are cached when they are read again. */
const FILLS_MAX = 64;
/** After so many failures in a row the cache is not filled any more: the disk is full, or the browser forbids it. */
const FAILURES_MAX = 3;

/**
 * Keeps copies of immutable objects as files of the origin's private file system, where a range is read without the
 * rest of its row. It is a cache and nothing more: the backing store holds every object, and whatever is wrong with a
 * file (missing, cut off, a flipped bit, a browser without OPFS) costs a read of the backing store, never an answer.
 *
 * A file is written in the background after the first read of its object, checked by CRC at each read, and deleted
 * with its object. Files that were used longest ago make room; when the origin has no more space for the backing store,
 * all of them do. What is replaced or deleted through this store is
 * noticed at once; an object that another tab deletes may be read a little longer.
 */
export class OpfsCacheStore implements ObjectStore {
  readonly #backing: ObjectStore;
  readonly #name: string;
  readonly #cached: (key: string) => boolean;
  /** By file name, which is a hash of the key; sizes in bytes. */
  readonly #entries: Lru<string, Entry>;
  /** Files are written and removed one at a time, so that one object at most is held in memory for it. */
  readonly #files = new Mutex();
  readonly #filling = new Set<string>();
  readonly #evicted: string[] = [];
  #directory: FileSystemDirectoryHandle | undefined;
  /** Changes of cached keys that have begun, and how many have not ended. */
  #changes = 0;
  #changesUnderWay = 0;
  #failures = 0;

  private constructor(backing: ObjectStore, name: string, options: OpfsCacheOptions) {
    this.#backing = backing;
    this.#name = name;
    this.#cached = options.cached ?? ((key) => key.includes('/segments/'));
    this.#entries = new Lru(options.bytesMax ?? BYTES_MAX, (file) => this.#evicted.push(file));
  }

  /** Opens the cache `name` of this origin over its backing store. Without OPFS it passes everything through. */
  static async open(backing: ObjectStore, name: string, options: OpfsCacheOptions = {}): Promise<OpfsCacheStore> {
    const cache = new OpfsCacheStore(backing, name, options);
    try {
      const canWrite = typeof FileSystemFileHandle === 'function' && 'createWritable' in FileSystemFileHandle.prototype;
      if (canWrite) cache.#directory = await openDirectory(name);
      await cache.#files.run(() => cache.#findFiles());
    } catch {
      cache.#directory = undefined;
    }
    return cache;
  }

  /** Deletes the cache `name`, which nobody needs to have open. */
  static async destroy(name: string): Promise<void> {
    try {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT);
      await root.removeEntry(await hash(name), { recursive: true });
    } catch {
      // It is not there, or there is no OPFS.
    }
  }

  /** Whether files are kept at all: the browser has OPFS, and allows it here. */
  get isCaching(): boolean {
    return this.#directory !== undefined && this.#failures < FAILURES_MAX;
  }

  /** The bytes of all files together. */
  bytes(): number {
    return this.#entries.size;
  }

  /** Resolves when everything read so far is cached, or has been given up. */
  settled(): Promise<void> {
    return this.#files.run(async () => {});
  }

  /** Deletes every file, and caches nothing any more. The backing store is left alone. */
  async destroy(): Promise<void> {
    this.#directory = undefined;
    await this.#files.run(async () => {
      this.#entries.clear();
      await OpfsCacheStore.destroy(this.#name);
    });
  }

  create(key: string, bytes: Uint8Array): Promise<Version> {
    return this.#roomily(() => this.#backing.create(key, bytes));
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    checkWrite(key, bytes);
    return this.#changing([key], () => this.#roomily(() => this.#backing.replace(key, bytes, expected)));
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    await this.#changing(keys, () => this.#backing.delete(keys));
  }

  list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    return this.#backing.list(prefix, after);
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    checkRead(key, range);
    if (!this.isCaching || !this.#cached(key)) return this.#backing.read(key, range);
    const fileName = await hash(key);
    const changes = this.#changes;
    const cached = await this.#readFile(fileName, key, range);
    // A change that began meanwhile has the last word.
    if (cached !== undefined && changes === this.#changes) return cached;
    const object = await this.#backing.read(key, range);
    if (object !== undefined) this.#fill(fileName, key);
    return object;
  }

  /**
   * Copies give way to what is kept: if there is no more space for a write, all files go, no more are written until the
   * cache is opened again, and the write is tried once more.
   */
  async #roomily<T>(write: () => Promise<T>): Promise<T> {
    const hadFiles = this.#entries.size > 0;
    try {
      return await write();
    } catch (error) {
      if (codeOf(error) !== 'quota' || !hadFiles) throw error;
    }
    this.#failures = FAILURES_MAX;
    // Another write that was refused meanwhile waits here until the files are gone.
    await this.#files.run(async () => {
      for (const fileName of [...this.#entries.keys()]) await this.#remove(fileName);
    });
    return write();
  }

  async #readFile(fileName: string, key: string, range: ByteRange | undefined): Promise<StoredObject | undefined> {
    const entry = this.#entries.get(fileName);
    const directory = this.#directory;
    if (entry?.isWritten !== true || directory === undefined) return undefined;
    try {
      entry.file ??= await OpfsFile.open(await (await directory.getFileHandle(fileName)).getFile(), key);
      const object = await entry.file.read(range);
      if (object !== undefined) return object;
    } catch (error) {
      if (codeOf(error) === 'invalid') throw error;
    }
    // Missing or damaged. Another may have noticed too, and have filled it again already.
    await this.#files.run(async () => {
      if (this.#entries.peek(fileName) === entry) await this.#remove(fileName);
    });
    return undefined;
  }

  /** Writes the file of an object in the background, unless one is written or waits, or many wait. */
  #fill(fileName: string, key: string): void {
    if (this.#filling.has(fileName) || this.#filling.size >= FILLS_MAX || this.#changesUnderWay > 0) return;
    this.#filling.add(fileName);
    const changes = this.#changes;
    const isCurrent = (): boolean => changes === this.#changes && this.isCaching;
    void this.#files.run(async () => {
      try {
        if (!isCurrent() || this.#entries.has(fileName)) return;
        const object = await this.#backing.read(key);
        if (object !== undefined && isCurrent()) await this.#writeFile(fileName, object);
        this.#failures = 0;
      } catch {
        this.#failures++;
        await this.#remove(fileName);
      } finally {
        this.#filling.delete(fileName);
      }
    });
  }

  async #writeFile(fileName: string, object: StoredObject): Promise<void> {
    const header = encodeHeader(object);
    const entry: Entry = { isWritten: false, file: undefined };
    // Room is made before the file is written, so that the budget holds at every moment.
    const fits = this.#entries.set(fileName, entry, header.byteLength + object.size);
    for (const evicted of this.#evicted.splice(0)) await this.#remove(evicted);
    if (!fits) return;
    const handle = await this.#createFile(fileName);
    const writable = await handle.createWritable();
    // The file takes its new content whole when it is closed.
    await writable.write(header);
    await writable.write(object.bytes);
    await writable.close();
    entry.isWritten = true;
  }

  /** Creates a file, and the directory too if somebody has deleted it with all files in it. */
  async #createFile(fileName: string): Promise<FileSystemFileHandle> {
    const directory = this.#directory ?? (await openDirectory(this.#name));
    try {
      return await directory.getFileHandle(fileName, { create: true });
    } catch {
      this.#directory = await openDirectory(this.#name);
      return this.#directory.getFileHandle(fileName, { create: true });
    }
  }

  /** Forgets a file and removes it; runs with the files' mutex. */
  async #remove(fileName: string): Promise<void> {
    this.#entries.delete(fileName);
    try {
      await this.#directory?.removeEntry(fileName);
    } catch {
      // It is gone already, or cannot be removed now; in the latter case the next opening finds it.
    }
  }

  /**
   * Removes the files of keys before a change of their objects, so that a crash leaves none behind, and lets none be
   * written while it is under way: what a fill has read may be from before the change.
   */
  async #changing<T>(keys: readonly string[], change: () => Promise<T>): Promise<T> {
    const changed = keys.filter(this.#cached);
    if (changed.length === 0 || this.#directory === undefined) return change();
    this.#changesUnderWay++;
    this.#changes++;
    try {
      const fileNames = await Promise.all(changed.map(hash));
      await this.#files.run(async () => {
        for (const fileName of fileNames) if (this.#entries.has(fileName)) await this.#remove(fileName);
      });
      return await change();
    } finally {
      this.#changesUnderWay--;
    }
  }

  /** Takes over the files that are there, the one written last as the one used last. */
  async #findFiles(): Promise<void> {
    const found: { name: string; size: number; time: number }[] = [];
    for await (const [name, handle] of this.#directory?.entries() ?? []) {
      if (handle.kind !== 'file') continue;
      const { size, lastModified } = await (handle as FileSystemFileHandle).getFile();
      found.push({ name, size, time: lastModified });
    }
    found.sort((a, b) => a.time - b.time);
    for (const { name, size } of found) {
      const fits = this.#entries.set(name, { isWritten: true, file: undefined }, size);
      if (!fits) this.#evicted.push(name);
    }
    for (const evicted of this.#evicted.splice(0)) await this.#remove(evicted);
  }
}

async function openDirectory(name: string): Promise<FileSystemDirectoryHandle> {
  const origin = await navigator.storage.getDirectory();
  const root = await origin.getDirectoryHandle(ROOT, { create: true });
  return root.getDirectoryHandle(await hash(name), { create: true });
}

/** A name for a file: keys are longer than file names may be, and hold characters that these may not. */
async function hash(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', encodeUtf8(text))));
}
