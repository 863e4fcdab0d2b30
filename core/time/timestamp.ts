/**
 * A hybrid timestamp, as Milvus's: physical milliseconds since the Unix epoch, shifted left by 18 bits, plus a
 * logical counter. It orders all writes of an instance.
 */
export type Timestamp = bigint;

const LOGICAL_BITS = 18n;

/** Before every write. */
export const TIMESTAMP_ZERO: Timestamp = 0n;

/** The first timestamp of a millisecond. */
export function timestampAt(milliseconds: number): Timestamp {
  return BigInt(Math.floor(milliseconds)) << LOGICAL_BITS;
}

/** The millisecond of a timestamp. */
export function millisecondsOf(timestamp: Timestamp): number {
  return Number(timestamp >> LOGICAL_BITS);
}
