import { ElanusError } from '../base/error.ts';

/** A record and the timestamp that it was stamped with when its batch was closed. */
export interface StampedRecord {
  readonly timestamp: bigint;
  readonly bytes: Uint8Array;
}

/*
 * A log entry is a batch: the records that were committed together, in the order of their timestamps. Little-endian.
 *
 *   "ELBT" · version u16 · 0 u16 · records u32 · 0 u32
 *   for each record: timestamp u64 · length u32 · 0 u32 · the record, padded to 16
 *
 * Records begin at multiples of 16, so that the columns in them can be used in place.
 */

const MAGIC = 0x54424c45;
const VERSION = 1;
/** Bytes before the first record of a batch. */
export const BATCH_HEADER_BYTES: number = 16;
const RECORD_HEADER_BYTES = 16;
const ALIGNMENT = 16;

/** Bytes that a record of this length takes in a batch. */
export function recordBytes(length: number): number {
  return RECORD_HEADER_BYTES + ((length + ALIGNMENT - 1) & -ALIGNMENT);
}

export function encodeLogBatch(records: readonly StampedRecord[]): Uint8Array<ArrayBuffer> {
  const size = records.reduce((sum, { bytes }) => sum + recordBytes(bytes.byteLength), BATCH_HEADER_BYTES);
  const batch = new Uint8Array(size);
  const view = new DataView(batch.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, VERSION, true);
  view.setUint32(8, records.length, true);
  let offset = BATCH_HEADER_BYTES;
  for (const { timestamp, bytes } of records) {
    view.setBigUint64(offset, timestamp, true);
    view.setUint32(offset + 8, bytes.byteLength, true);
    batch.set(bytes, offset + RECORD_HEADER_BYTES);
    offset += recordBytes(bytes.byteLength);
  }
  return batch;
}

/** Reads a batch; the records are views of `bytes`. Throws `corrupt` for what is not a batch. */
export function decodeLogBatch(bytes: Uint8Array): StampedRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < BATCH_HEADER_BYTES || view.getUint32(0, true) !== MAGIC) throw damaged('it is no batch');
  if (view.getUint16(4, true) !== VERSION) throw damaged(`its version is ${view.getUint16(4, true)}`);
  const count = view.getUint32(8, true);
  const records: StampedRecord[] = [];
  let offset = BATCH_HEADER_BYTES;
  for (let at = 0; at < count; at++) {
    if (offset + RECORD_HEADER_BYTES > bytes.byteLength) throw damaged('it is cut off');
    const start = offset + RECORD_HEADER_BYTES;
    const length = view.getUint32(offset + 8, true);
    if (start + length > bytes.byteLength) throw damaged('a record is cut off');
    records.push({ timestamp: view.getBigUint64(offset, true), bytes: bytes.subarray(start, start + length) });
    offset += recordBytes(length);
  }
  if (offset !== bytes.byteLength) throw damaged(`it has ${bytes.byteLength} bytes, and ${offset} belong to records`);
  return records;
}

function damaged(what: string): ElanusError {
  return new ElanusError('corrupt', `An entry of the log is damaged: ${what}. Restore it from a copy.`);
}
