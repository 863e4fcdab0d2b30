import { encodeUtf8 } from '../base/bytes.ts';
import { ElanusError } from '../base/error.ts';
import { KEY_BYTES_MAX, OBJECT_BYTES_MAX } from '../model/limits.ts';
import type { ByteRange, Version } from './object-store.ts';

/** The checks that every store makes, and the errors that every store gives, so that all refuse the same things alike. */

/** Refuses what is not a key: 1 to `KEY_BYTES_MAX` bytes of UTF-8. */
export function checkKey(key: string): void {
  if (typeof key !== 'string' || key.length === 0) {
    throw new ElanusError('invalid', `A key is a text of at least one character, not ${JSON.stringify(key)}.`);
  }
  checkText('key', key);
}

/** Refuses a prefix that no key can begin with. The empty prefix is that of all keys. */
export function checkPrefix(prefix: string, after: string | undefined): void {
  checkText('prefix', prefix);
  if (after !== undefined) checkText('key to list after', after);
}

function checkText(what: string, text: string): void {
  if (typeof text !== 'string' || !text.isWellFormed()) {
    throw new ElanusError('invalid', `The ${what} ${JSON.stringify(text)} is not well-formed Unicode text.`);
  }
  // A unit takes at most three bytes, so that short texts need no encoding.
  if (text.length * 3 <= KEY_BYTES_MAX) return;
  const length = encodeUtf8(text).byteLength;
  if (length > KEY_BYTES_MAX) {
    const message = `The ${what} ${text.slice(0, 80)}… has ${length} bytes; at most ${KEY_BYTES_MAX} are allowed.`;
    throw new ElanusError('invalid', message, { details: { length, lengthMax: KEY_BYTES_MAX } });
  }
}

/** Refuses what cannot be written: a key that is none, or bytes that are none or too many. */
export function checkWrite(key: string, bytes: Uint8Array): void {
  checkKey(key);
  const size = bytes instanceof Uint8Array ? bytes.byteLength : 0;
  if (size < 1 || size > OBJECT_BYTES_MAX) {
    const message = `The object ${key} would have ${size} bytes; 1 to ${OBJECT_BYTES_MAX} are allowed.`;
    throw new ElanusError('invalid', message, { details: { key, size, sizeMax: OBJECT_BYTES_MAX } });
  }
}

/** Refuses a read whose range holds no byte of any object. */
export function checkRead(key: string, range: ByteRange | undefined): void {
  checkKey(key);
  if (range === undefined) return;
  const { start, end } = range;
  const isRange =
    Number.isSafeInteger(start) && start >= 0 && (end === undefined || (Number.isSafeInteger(end) && end > start));
  if (!isRange) throw invalidRange(key, range);
}

/** The bytes that a checked range means in an object of `size` bytes; refuses one that begins beyond its end. */
export function clipRange(key: string, range: ByteRange | undefined, size: number): { start: number; end: number } {
  const start = range?.start ?? 0;
  if (range !== undefined && start >= size) throw invalidRange(key, range, size);
  return { start, end: Math.min(range?.end ?? size, size) };
}

/** The error for a range that holds no byte of the object. */
export function invalidRange(key: string, range: ByteRange, size?: number): ElanusError {
  const object = size === undefined ? '' : ` of ${size} bytes`;
  const message = `The range from ${range.start} to ${range.end ?? 'the end'} holds no byte of the object ${key}${object}.`;
  return new ElanusError('invalid', message, { details: { key } });
}

/** The error of `create` for a key that exists. */
export function keyExists(key: string): ElanusError {
  return new ElanusError('conflict', `The object ${key} exists already.`, { details: { key } });
}

/** The error of `replace` for an object that is not at the expected version, or absent. */
export function versionDiffers(key: string, expected: Version): ElanusError {
  const message = `The object ${key} is no longer at version ${expected}. Read it again and decide anew.`;
  return new ElanusError('conflict', message, { details: { key } });
}

/** The error for a request of unknown outcome. */
export function outcomeUnknown(what: string, key: string, cause?: unknown): ElanusError {
  const message = `The store did not answer whether it did "${what}" for ${key}.`;
  return new ElanusError('unavailable', message, { details: { key }, ...(cause === undefined ? {} : { cause }) });
}
