import { assert } from '../base/assert.ts';
import { ElanusError } from '../base/error.ts';
import { decodeColumn, encodeColumn } from '../column/codec.ts';
import type { Key } from '../model/column.ts';
import type { RequestId } from '../model/request-id.ts';

/**
 * What one request to one channel writes: one record, atomic. Its timestamp is not inside: the log's batch carries it.
 * Little-endian; the payload begins at a multiple of 16.
 *
 *   version u8 · kind u8 · 0 u16 · partition u32 · schema version u32, or key count u32 · key type u32
 *   client u64 · sequence u64 · first pending u64 · 0 u64      of the request's id; zeros if it has none
 *   the payload
 *
 * Version 1 has no request id: its payload begins at 16. It is read, and no longer written.
 */
export type LogRecord =
  | {
      /** Rows that come in; each replaces the older row of its key. */
      readonly kind: 'write';
      readonly partitionId: number;
      readonly schemaVersion: number;
      /** A batch in the encoding of `column/codec.ts`. */
      readonly batch: Uint8Array;
      readonly request?: RequestId;
    }
  | {
      readonly kind: 'delete';
      readonly partitionId: number;
      readonly keys: readonly Key[];
      readonly request?: RequestId;
    };

const VERSION = 2;
const VERSION_WITHOUT_REQUEST = 1;
const WRITE = 1;
const DELETE = 2;
const HEADER_BYTES = 48;
const HEADER_BYTES_WITHOUT_REQUEST = 16;
const REQUEST_OFFSET = 16;
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
  if (record.request !== undefined) {
    view.setBigUint64(REQUEST_OFFSET, BigInt(`0x${record.request.client}`), true);
    view.setBigUint64(REQUEST_OFFSET + 8, BigInt(record.request.sequence), true);
    view.setBigUint64(REQUEST_OFFSET + 16, BigInt(record.request.firstPending), true);
  }
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Reads a record; a write's batch is a view of `bytes`. Throws `corrupt` for what is not a record. */
export function decodeRecord(bytes: Uint8Array): LogRecord {
  if (bytes.byteLength < HEADER_BYTES_WITHOUT_REQUEST) throw damaged('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(0);
  if (version !== VERSION && version !== VERSION_WITHOUT_REQUEST) throw damaged(`its version is ${version}`);
  const headerBytes = version === VERSION ? HEADER_BYTES : HEADER_BYTES_WITHOUT_REQUEST;
  if (bytes.byteLength < headerBytes) throw damaged('it is too short');
  const request = version === VERSION ? decodeRequest(view) : {};
  const kind = view.getUint8(1);
  const partitionId = view.getUint32(4, true);
  const payload = bytes.subarray(headerBytes);
  if (kind === WRITE) {
    return { kind: 'write', partitionId, schemaVersion: view.getUint32(8, true), batch: payload, ...request };
  }
  if (kind !== DELETE) throw damaged(`there is no kind ${kind}`);
  const keyType = view.getUint32(12, true);
  if (keyType !== INT64_KEYS && keyType !== VARCHAR_KEYS) throw damaged(`there is no key type ${keyType}`);
  const keys = decodeKeys(payload, view.getUint32(8, true), keyType === VARCHAR_KEYS);
  return { kind: 'delete', partitionId, keys, ...request };
}

function decodeRequest(view: DataView): { readonly request?: RequestId } {
  const client = view.getBigUint64(REQUEST_OFFSET, true);
  const sequence = view.getBigUint64(REQUEST_OFFSET + 8, true);
  const firstPending = view.getBigUint64(REQUEST_OFFSET + 16, true);
  if (client === 0n && sequence === 0n && firstPending === 0n) return {};
  if (sequence > Number.MAX_SAFE_INTEGER || firstPending < 1n || firstPending > sequence) {
    throw damaged('its request id is none');
  }
  return {
    request: {
      client: client.toString(16).padStart(16, '0'),
      sequence: Number(sequence),
      firstPending: Number(firstPending),
    },
  };
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
