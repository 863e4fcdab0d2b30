import { ElanusError } from '../../core/base/error.ts';
import { DELETE_KEYS_MAX, OBJECT_BYTES_MAX } from '../../core/model/limits.ts';
import {
  checkKey,
  checkPrefix,
  checkRead,
  checkWrite,
  clipRange,
  invalidRange,
  keyExists,
  outcomeUnknown,
  versionDiffers,
} from '../../core/storage/check.ts';
import type { ByteRange, ObjectInfo, ObjectStore, StoredObject, Version } from '../../core/storage/object-store.ts';

/**
 * Objects in an R2 bucket, through a Worker's binding.
 *
 * R2 is strongly consistent and publishes an object whole. A version is its etag, the MD5 of the bytes. Every put
 * carries the MD5 too, so that R2 refuses bytes that were damaged on their way instead of acknowledging them: MD5 and
 * not SHA-256, because R2 computes it in any case, and the enemy here is a flipped bit, not a forger. (Each format has
 * its own CRC as well, but that is read when the writer's copy may be gone.)
 *
 * R2 takes about one write a second to one key; more reject with `overloaded`.
 */
export class R2Store implements ObjectStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async create(key: string, bytes: Uint8Array): Promise<Version> {
    checkWrite(key, bytes);
    // Unquoted: as '"*"' it would be taken for an etag that never matches, and the object be overwritten.
    const object = await this.#put(key, bytes, { etagDoesNotMatch: '*' });
    if (object === null) throw keyExists(key);
    return object.etag as Version;
  }

  async replace(key: string, bytes: Uint8Array, expected: Version): Promise<Version> {
    checkWrite(key, bytes);
    // Anything else is no version of ours, and '*' would match every object: a blind overwrite.
    if (!/^[0-9a-f]{32}$/.test(expected)) throw versionDiffers(key, expected);
    const object = await this.#put(key, bytes, { etagMatches: expected });
    if (object === null) throw versionDiffers(key, expected);
    return object.etag as Version;
  }

  async read(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    checkRead(key, range);
    try {
      const object = await this.#bucket.get(key, range === undefined ? {} : { range: toR2Range(range) });
      if (object === null) return undefined;
      const bytes = new Uint8Array(await object.arrayBuffer());
      const { start, end } = clipRange(key, range, object.size);
      if (bytes.byteLength !== end - start) {
        throw outcomeUnknown('read', key, new Error(`${end - start} bytes were announced, ${bytes.byteLength} came`));
      }
      return { key, size: object.size, version: object.etag as Version, bytes };
    } catch (error) {
      if (range !== undefined && (await this.#isBeyondEnd(key, range, error))) throw invalidRange(key, range);
      throw toElanusError('read', key, error);
    }
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix, after);
    let cursor: string | undefined;
    do {
      const page = await this.#page(prefix, after, cursor);
      for (const { key, size, etag } of page.objects) yield { key, size, version: etag as Version };
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    for (let start = 0; start < keys.length; start += DELETE_KEYS_MAX) {
      const batch = keys.slice(start, start + DELETE_KEYS_MAX);
      try {
        await this.#bucket.delete(batch);
      } catch (error) {
        throw toElanusError('delete', batch[0] ?? '', error);
      }
    }
  }

  /**
   * Whether a read failed because its range holds no byte. R2 says so, but for a range that begins exactly at the
   * object's end the local one answers only "Unspecified error (0)": then the size decides.
   */
  async #isBeyondEnd(key: string, range: ByteRange, error: unknown): Promise<boolean> {
    const code = r2Code(error);
    if (code !== UNSPECIFIED) return code === INVALID_RANGE;
    const object = await this.#bucket.head(key).catch(() => null);
    return object !== null && object.size <= range.start;
  }

  async #put(key: string, bytes: Uint8Array, onlyIf: R2Conditional): Promise<R2Object | null> {
    const md5 = await crypto.subtle.digest('MD5', bytes);
    try {
      return await this.#bucket.put(key, bytes, { onlyIf, md5 });
    } catch (error) {
      throw toElanusError('write', key, error);
    }
  }

  async #page(prefix: string, after: string | undefined, cursor: string | undefined): Promise<R2Objects> {
    // The cursor stands for the place in the list; `startAfter` counts only for the first page.
    const begin = cursor !== undefined ? { cursor } : after === undefined || after === '' ? {} : { startAfter: after };
    try {
      return await this.#bucket.list({ prefix, ...begin });
    } catch (error) {
      throw toElanusError('list', prefix, error);
    }
  }
}

/** R2's codes, which end its messages in parentheses. */
const UNSPECIFIED = 0;
const INVALID_RANGE = 10039;
const TOO_MANY_REQUESTS = 10058;
const REFUSED_FOR_RIGHTS: readonly number[] = [10002, 10003, 10004, 10042];

function toR2Range({ start, end }: ByteRange): R2Range {
  return end === undefined ? { offset: start } : { offset: start, length: Math.min(end - start, OBJECT_BYTES_MAX) };
}

function r2Code(error: unknown): number | undefined {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'number') return code;
  const match = /\((\d+)\)\s*$/.exec(String(message));
  return match === null ? undefined : Number(match[1]);
}

/**
 * What R2 refused for certain gets a code that says so. Everything else, known or not, is of unknown outcome: the
 * request may have got lost on its way there, or only its answer on the way back.
 */
function toElanusError(what: string, key: string, error: unknown): ElanusError {
  if (error instanceof ElanusError) return error;
  const code = r2Code(error);
  const message = String((error as { message?: unknown })?.message ?? error);
  const options = { cause: error, details: { key, ...(code === undefined ? {} : { r2Code: code }) } };
  if (code === TOO_MANY_REQUESTS || /reduce your .*rate|too many requests|\b429\b/i.test(message)) {
    return new ElanusError('overloaded', `R2 takes no more requests for ${key} now. Wait a second.`, options);
  }
  if (code !== undefined && REFUSED_FOR_RIGHTS.includes(code)) {
    return new ElanusError('forbidden', `R2 refused the ${what} of ${key}: ${message}. Check the binding.`, options);
  }
  return outcomeUnknown(what, key, error);
}
