import type { Key } from '../model/column.ts';
import type { Timestamp } from '../time/timestamp.ts';
import { decodeKeys, encodeKeys } from '../wal/record.ts';
import { corrupt, decodeFile, encodeFile, SECTION_KEYS, SECTION_TIMESTAMPS, type Section } from './format.ts';

/** Section types of a delta's keys. */
const INT64_KEYS = 0;
const VARCHAR_KEYS = 1;

/** The object of a delta: the keys whose rows ended, and when. */
export function encodeDelta(deletes: ReadonlyMap<Key, Timestamp>): Uint8Array<ArrayBuffer> {
  const keys = [...deletes.keys()];
  const common = { fieldId: 0, elementType: 0, hasValid: false, dimension: 0, rows: keys.length };
  const type = typeof keys[0] === 'string' ? VARCHAR_KEYS : INT64_KEYS;
  return encodeFile([
    { ...common, kind: SECTION_KEYS, type, bytes: encodeKeys(keys) },
    { ...common, kind: SECTION_TIMESTAMPS, type: 0, bytes: encodeTimestamps([...deletes.values()]) },
  ]).bytes;
}

/** Reads what `encodeDelta` wrote; throws `corrupt` naming the key. */
export function decodeDelta(bytes: Uint8Array, key: string): [Key, Timestamp][] {
  const sections = decodeFile(bytes, key);
  const keys = sections.find((section) => section.kind === SECTION_KEYS);
  const times = sections.find((section) => section.kind === SECTION_TIMESTAMPS);
  if (keys === undefined || times === undefined || keys.rows !== times.rows) throw corrupt(key, 'it is no delta');
  const ends = decodeTimestamps(times, key);
  const isText = keys.type === VARCHAR_KEYS;
  return decodeKeys(keys.bytes, keys.rows, isText, key).map((each, at) => [each, ends[at] ?? 0n]);
}

/** Timestamps as two columns of 32-bit words: low, then high. */
export function encodeTimestamps(timestamps: ArrayLike<Timestamp>): Uint8Array<ArrayBuffer> {
  const count = timestamps.length;
  const words = new Uint32Array(2 * count);
  for (let at = 0; at < count; at++) {
    const timestamp = timestamps[at] ?? 0n;
    words[at] = Number(timestamp & 0xffffffffn);
    words[count + at] = Number(timestamp >> 32n);
  }
  return new Uint8Array(words.buffer);
}

function decodeTimestamps(section: Section, key: string): Timestamp[] {
  if (section.bytes.byteLength !== 8 * section.rows) throw corrupt(key, 'its timestamps have another size');
  const view = new DataView(section.bytes.buffer, section.bytes.byteOffset, section.bytes.byteLength);
  return Array.from(
    { length: section.rows },
    (_, at) => (BigInt(view.getUint32(4 * (section.rows + at), true)) << 32n) | BigInt(view.getUint32(4 * at, true)),
  );
}
