import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { ElanusError } from '../base/error.ts';

/**
 * A document is a small object that people may want to read: a manifest, the catalog, the root of a log. Format 1,
 * little-endian:
 *
 * | offset | bytes | |
 * |---|---|---|
 * | 0 | 4 | magic `ELAN` |
 * | 4 | 4 | kind, four ASCII characters |
 * | 8 | 4 | version of this kind's format |
 * | 12 | 4 | CRC32C of everything else: bytes 0 to 12 and 16 to the end |
 * | 16 | 4 | length of the JSON in bytes |
 * | 20 | … | JSON, UTF-8, to the end |
 */
const MAGIC = 'ELAN';
const CRC_OFFSET = 12;
const HEADER_BYTES = 20;

/**
 * Encodes a value that JSON can hold. `kind` is four ASCII characters; `version`, from 1 on, is that of the format of
 * this kind of document.
 */
export function encodeDocument(kind: string, version: number, value: unknown): Uint8Array<ArrayBuffer> {
  assert(/^[ -~]{4}$/.test(kind), `a kind is four ASCII characters, not ${kind}`);
  assert(Number.isInteger(version) && version >= 1 && version <= 0xffff_ffff, `${version} is a format version`);
  const json = JSON.stringify(value);
  assert(json !== undefined, `a ${kind} document is a JSON value`);
  const body = encodeUtf8(json);
  const writer = new ByteWriter(HEADER_BYTES + body.byteLength);
  writer
    .raw(encodeUtf8(MAGIC + kind))
    .u32(version)
    .u32(0)
    .u32(body.byteLength)
    .raw(body);
  const bytes = writer.finish();
  return writer.patchU32(CRC_OFFSET, checksum(bytes)).finish();
}

/**
 * Decodes a document after checking it. Throws `corrupt`, naming `key`, on any bytes that `encodeDocument` did not
 * write for this kind, and `unsupported` on a format newer than `versionMax`: a newer Elanus wrote it.
 */
export function decodeDocument(kind: string, versionMax: number, bytes: Uint8Array, key: string): unknown {
  const version = documentVersion(kind, bytes, key);
  if (version > versionMax) {
    const message = `The object ${key} has format ${version}; this Elanus reads up to ${versionMax}. Use a newer one.`;
    throw new ElanusError('unsupported', message, { details: { key, version, versionMax } });
  }
  try {
    return JSON.parse(decodeUtf8(bytes.subarray(HEADER_BYTES)));
  } catch (cause) {
    throw damaged(key, 'its checksum is right, but it is not JSON', cause);
  }
}

/** The format version of a document, after checking magic, kind, length and checksum; throws `corrupt`. */
export function documentVersion(kind: string, bytes: Uint8Array, key: string): number {
  const reader = new ByteReader(bytes, key);
  if (reader.remaining < HEADER_BYTES) throw damaged(key, `it has ${bytes.byteLength} bytes, fewer than a header`);
  const found = String.fromCharCode(...reader.raw(8));
  if (found !== MAGIC + kind) throw damaged(key, `it does not begin with ${MAGIC}${kind}`);
  const version = reader.u32();
  const crc = reader.u32();
  const length = reader.u32();
  if (length !== reader.remaining)
    throw damaged(key, `${length} bytes of JSON are announced, ${reader.remaining} follow`);
  if (crc !== checksum(bytes)) throw damaged(key, 'its checksum is wrong');
  return version;
}

function checksum(bytes: Uint8Array): number {
  return crc32c(bytes.subarray(CRC_OFFSET + 4), crc32c(bytes.subarray(0, CRC_OFFSET)));
}

function damaged(key: string, how: string, cause?: unknown): ElanusError {
  const message = `The object ${key} is damaged: ${how}. Restore it from a copy.`;
  return new ElanusError('corrupt', message, { details: { key }, ...(cause === undefined ? {} : { cause }) });
}
