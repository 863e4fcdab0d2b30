import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../core/base/crc32c.ts';
import { decodeDocument, documentVersion, encodeDocument } from '../../../core/storage/document.ts';

const corrupt = expect.objectContaining({ code: 'corrupt', message: expect.stringContaining('the/key') });

test('a value comes back as JSON gives it back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 9 }), (value, version) => {
      const bytes = encodeDocument('TEST', version, value);
      expect(decodeDocument('TEST', 9, bytes, 'the/key')).toEqual(JSON.parse(JSON.stringify(value)));
      expect(documentVersion('TEST', bytes, 'the/key')).toBe(version);
    }),
  );
});

test('every flipped bit, every truncation and every added byte is corruption that names the key', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), (value) => {
      const bytes = encodeDocument('TEST', 3, value);
      for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => decodeDocument('TEST', 0xffff_ffff, flipped, 'the/key')).toThrow(corrupt);
      }
      for (let length = 0; length < bytes.byteLength; length++) {
        expect(() => decodeDocument('TEST', 3, bytes.subarray(0, length), 'the/key')).toThrow(corrupt);
      }
      expect(() => decodeDocument('TEST', 3, new Uint8Array([...bytes, 0]), 'the/key')).toThrow(corrupt);
    }),
    { numRuns: 20 },
  );
});

test('a length that does not fit is corruption even where the checksum is right', () => {
  const bytes = encodeDocument('TEST', 1, { a: 1 });
  const view = new DataView(bytes.buffer);
  view.setUint32(16, 6, true);
  view.setUint32(12, crc32c(bytes.subarray(16), crc32c(bytes.subarray(0, 12))), true);
  expect(() => decodeDocument('TEST', 1, bytes, 'the/key')).toThrow(corrupt);
});

test('random bytes are corruption, never another error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(() => decodeDocument('TEST', 1, bytes, 'the/key')).toThrow(corrupt);
    }),
  );
});

test('another kind is corruption, a newer format is unsupported, what JSON cannot hold is a bug', () => {
  const bytes = encodeDocument('TEST', 2, { a: 1 });
  expect(() => decodeDocument('ELSE', 2, bytes, 'the/key')).toThrow(corrupt);
  const newer = expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('the/key') });
  expect(() => decodeDocument('TEST', 1, bytes, 'the/key')).toThrow(newer);
  expect(() => encodeDocument('TEST', 1, undefined)).toThrow(expect.objectContaining({ code: 'internal' }));
  expect(() => encodeDocument('TOO LONG', 1, 1)).toThrow(expect.objectContaining({ code: 'internal' }));
});

test('the bytes of format 1 stay as they are', () => {
  const golden = [
    0x45, 0x4c, 0x41, 0x4e, 0x54, 0x45, 0x53, 0x54, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00,
    0x00, 0x7b, 0x22, 0x61, 0x22, 0x3a, 0x31, 0x7d,
  ];
  const bytes = encodeDocument('TEST', 1, { a: 1 });
  expect([...bytes.subarray(0, 12), 0, 0, 0, 0, ...bytes.subarray(16)]).toEqual(golden);
  expect(
    decodeDocument(
      'TEST',
      1,
      Uint8Array.from(Buffer.from('RUxBTlRFU1QBAAAAR412MwcAAAB7ImEiOjF9', 'base64')),
      'the/key',
    ),
  ).toEqual({ a: 1 });
});
