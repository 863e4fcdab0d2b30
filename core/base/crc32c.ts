/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables of 256: table k gives the effect of a byte that lies k bytes before the end of a group. */
const TABLES: Int32Array = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const previous = tables[index - 256] as number;
    tables[index] = (previous >>> 8) ^ (tables[previous & 255] as number);
  }
  return tables;
}

/**
 * CRC-32C (Castagnoli) as an unsigned 32-bit integer; that of the ASCII text `123456789` is 0xE3069283. It detects
 * every error of one to three bits, and every burst of up to 32 bits, in anything the store may hold.
 *
 * `initial` is the CRC of the bytes before these: `crc32c(b, crc32c(a))` is the CRC of `a` followed by `b`.
 *
 * Source: slicing-by-8 (Kounavis and Berry, "A Systematic Approach to Building High Performance Software-based CRC
 * Generators", 2005).
 */
export function crc32c(bytes: Uint8Array, initial: number = 0): number {
  const tables = TABLES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const groupsEnd = bytes.byteLength - (bytes.byteLength % 8);
  let crc = ~initial;
  let offset = 0;
  for (; offset < groupsEnd; offset += 8) {
    const low = crc ^ view.getInt32(offset, true);
    const high = view.getInt32(offset + 4, true);
    crc =
      (tables[1792 + (low & 255)] as number) ^
      (tables[1536 + ((low >>> 8) & 255)] as number) ^
      (tables[1280 + ((low >>> 16) & 255)] as number) ^
      (tables[1024 + (low >>> 24)] as number) ^
      (tables[768 + (high & 255)] as number) ^
      (tables[512 + ((high >>> 8) & 255)] as number) ^
      (tables[256 + ((high >>> 16) & 255)] as number) ^
      (tables[high >>> 24] as number);
  }
  for (; offset < bytes.byteLength; offset++) {
    crc = (crc >>> 8) ^ (tables[(crc ^ view.getUint8(offset)) & 255] as number);
  }
  return ~crc >>> 0;
}
