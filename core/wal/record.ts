import { assert } from '../base/assert.ts';
import { ElanusError } from '../base/error.ts';
import { decodeColumn, encodeColumn } from '../column/codec.ts';
import type { Key } from '../model/column.ts';

/**
 * What one request to one channel writes: one record, atomic. Its timestamp is not inside: the log's batch carries it.
 *
 *   version u8 · kind u8 · 0 u16 · partition u32 · schema version u32, or key count u32 · key type u32 · the payload
 */
export type LogRecord =
  | {
      /** Rows that come in; each replaces the older row of its key. */
      readonly kind: 'write';
      readonly partitionId: number;
      readonly schemaVersion: number;
      /** A batch in the encoding of `column/codec.ts`. */
      readonly batch: Uint8Array;
    }
  | {
      readonly kind: 'delete';
      readonly partitionId: number;
      readonly keys: readonly Key[];
    };

const VERSION = 1;
const WRITE = 1;
const DELETE = 2;
const HEADER_BYTES = 16;
const INT64_KEYS = 0;
const VARCHAR_KEYS = 1;

export function encodeRecord(record: LogRecord): Uint8Array<ArrayBuffer> {
  const payload = record.kind === 'write' ? record.batch : encodeKeys(record.keys);
  const bytes = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, record.kind === 'write' ? WRITE : DELETE);
  view.setUint32(4, record.partitionId, true);
  if (record.kind === 'write') {
    view.setUint32(8, record.schemaVersion, true);
  } else {
    view.setUint32(8, record.keys.length, true);
    view.setUint32(12, typeof record.keys[0] === 'string' ? VARCHAR_KEYS : INT64_KEYS, true);
  }
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Reads a record; a write's batch is a view of `bytes`. Throws `corrupt` for what is not a record. */
export function decodeRecord(bytes: Uint8Array): LogRecord {
  if (bytes.byteLength < HEADER_BYTES) throw damaged('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint8(0) !== VERSION) throw damaged(`its version is ${view.getUint8(0)}`);
  const kind = view.getUint8(1);
  const partitionId = view.getUint32(4, true);
  const payload = bytes.subarray(HEADER_BYTES);
  if (kind === WRITE) return { kind: 'write', partitionId, schemaVersion: view.getUint32(8, true), batch: payload };
  if (kind !== DELETE) throw damaged(`there is no kind ${kind}`);
  const keyType = view.getUint32(12, true);
  if (keyType !== INT64_KEYS && keyType !== VARCHAR_KEYS) throw damaged(`there is no key type ${keyType}`);
  return { kind: 'delete', partitionId, keys: decodeKeys(payload, view.getUint32(8, true), keyType === VARCHAR_KEYS) };
}

/** Keys of one type as a column. */
export function encodeKeys(keys: readonly Key[]): Uint8Array<ArrayBuffer> {
  const length = keys.length;
  if (typeof keys[0] === 'string') return encodeColumn({ type: 'VarChar', length, values: keys as string[] });
  assert(
    keys.every((key) => typeof key === 'bigint'),
    'the keys of a record are of one type',
  );
  return encodeColumn({ type: 'Int64', length, values: BigInt64Array.from(keys as bigint[]) });
}

/** Reads what `encodeKeys` wrote; throws `corrupt` naming the source. */
export function decodeKeys(
  bytes: Uint8Array,
  length: number,
  isText: boolean,
  source: string = 'A record of the log',
): Key[] {
  const type = isText ? 'VarChar' : 'Int64';
  const column = decodeColumn(bytes, { type, elementType: undefined, length, hasValid: false, source });
  return Array.from(column.values as ArrayLike<Key>);
}

function damaged(what: string): ElanusError {
  return new ElanusError('corrupt', `A record of the log is damaged: ${what}. Restore it from a copy.`);
}
