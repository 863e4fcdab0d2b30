import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../core/base/crc32c.ts';

/** The definition, bit by bit: the oracle of the fast one. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('golden values (RFC 3720, appendix B.4)', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(0))).toBe(0);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
});

test('agrees with the definition at every length and offset, and continues over parts', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(9), (bytes, cut, offset) => {
      const moved = new Uint8Array(bytes.byteLength + offset).subarray(offset);
      moved.set(bytes);
      const at = Math.min(cut, bytes.byteLength);
      expect(crc32c(moved)).toBe(slowCrc32c(bytes));
      expect(crc32c(moved.subarray(at), crc32c(moved.subarray(0, at)))).toBe(slowCrc32c(bytes));
    }),
  );
});
