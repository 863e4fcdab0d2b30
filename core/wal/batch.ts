import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { ElanusError } from '../base/error.ts';
import type { Timestamp } from '../time/timestamp.ts';

/**
 * One log entry holds one batch of records. Format 1, little-endian; the log's frame around it carries the checksum:
 *
 * | offset | bytes | |
 * |---|---|---|
 * | 0 | 4 | format version of the batch |
 * | 4 | 4 | number of records, at least one |
 * | 8 | 12 each | timestamp (u64) and length in bytes (u32) of each record |
 * | … | … | the records, one after the other, to the end |
 */
const FORMAT = 1;
const HEADER_BYTES = 8;
const TABLE_ROW_BYTES = 12;

/** Records in one batch: a range of timestamps covers it, and its table stays small beside the records. */
export const BATCH_RECORDS_MAX: number = 16_384;

/** A record as the log holds it: opaque bytes, and the time at which they were written. */
export interface StampedRecord {
  readonly timestamp: Timestamp;
  readonly bytes: Uint8Array;
}

/** The bytes of a batch of `count` records that hold `recordBytes` bytes together. */
export function batchBytes(count: number, recordBytes: number): number {
  return HEADER_BYTES + count * TABLE_ROW_BYTES + recordBytes;
}

/** Encodes one to `BATCH_RECORDS_MAX` records with strictly increasing timestamps; the bytes are copied. */
export function encodeBatchFrame(records: readonly StampedRecord[]): Uint8Array<ArrayBuffer> {
  assert(records.length > 0 && records.length <= BATCH_RECORDS_MAX, `a batch of ${records.length} records`);
  let size = batchBytes(records.length, 0);
  for (const { bytes } of records) size += bytes.byteLength;
  const writer = new ByteWriter(size).u32(FORMAT).u32(records.length);
  let previous = -1n;
  for (const { timestamp, bytes } of records) {
    assert(timestamp > previous, `timestamp ${timestamp} comes after ${previous} in a batch`);
    previous = timestamp;
    writer.u64(timestamp).u32(bytes.byteLength);
  }
  for (const { bytes } of records) writer.raw(bytes);
  return writer.finish();
}

/**
 * Decodes what `encodeBatchFrame` made. The records are views of `bytes`, not copies.
 *
 * @param source names the bytes in errors
 * @throws `corrupt` if they are no batch, `unsupported` if a newer Elanus wrote them
 */
export function decodeBatchFrame(bytes: Uint8Array, source: string = 'A log entry'): StampedRecord[] {
  const reader = new ByteReader(bytes, source);
  const format = reader.u32();
  if (format > FORMAT) {
    throw new ElanusError('unsupported', `${source} has batch format ${format}; this Elanus reads up to ${FORMAT}.`);
  }
  const count = reader.u32();
  if (format !== FORMAT || count < 1 || count > BATCH_RECORDS_MAX) throw damaged(source, `${count} records`);
  const timestamps: bigint[] = [];
  const lengths: number[] = [];
  let previous = -1n;
  for (let index = 0; index < count; index++) {
    const timestamp = reader.u64();
    if (timestamp <= previous) throw damaged(source, `timestamp ${timestamp} after ${previous}`);
    previous = timestamp;
    timestamps.push(timestamp);
    lengths.push(reader.u32());
  }
  const records = timestamps.map((timestamp, index) => ({ timestamp, bytes: reader.raw(lengths[index] as number) }));
  if (reader.remaining > 0) throw damaged(source, `${reader.remaining} bytes after its last record`);
  return records;
}

function damaged(source: string, what: string): ElanusError {
  return new ElanusError('corrupt', `${source} is damaged: it holds ${what}. Restore it from a copy.`, {
    details: { source },
  });
}
