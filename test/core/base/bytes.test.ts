import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ByteReader,
  ByteWriter,
  compareBytes,
  compareUtf8,
  concatBytes,
  decodeUtf8,
  encodeUtf8,
  equalBytes,
  toHex,
} from '../../../core/base/bytes.ts';

const text = fc.string({ unit: 'binary' });

test('texts are ordered as their UTF-8 bytes', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Math.sign(compareBytes(encodeUtf8(a), encodeUtf8(b))));
    }),
  );
  expect(compareUtf8('\u{10000}', '\uffff')).toBeGreaterThan(0);
  expect('\u{10000}' > '\uffff').toBe(false);
});

test('UTF-8 round-trips, a byte order mark included, and refuses other bytes', () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(decodeUtf8(encodeUtf8(value))).toBe(value);
    }),
  );
  expect(decodeUtf8(encodeUtf8('\ufeffa'))).toBe('\ufeffa');
  expect(() => decodeUtf8(new Uint8Array([0xff]))).toThrow(TypeError);
});

test('equality, concatenation, hexadecimal', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      const flat = Uint8Array.from(parts.flatMap((part) => [...part]));
      expect(equalBytes(concatBytes(parts), flat)).toBe(true);
      expect(toHex(flat)).toBe(Buffer.from(flat).toString('hex'));
    }),
  );
  expect(equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 3]))).toBe(false);
  expect(equalBytes(new Uint8Array([1]), new Uint8Array([1, 0]))).toBe(false);
});

test('what a writer wrote, a reader reads; every truncation is corrupt', () => {
  fc.assert(
    fc.property(
      text,
      fc.uint8Array(),
      fc.maxSafeNat(),
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      (name, raw, n, big) => {
        const writer = new ByteWriter(1).u8(7).u16(0xfffe).align(8).u32(0xfffffffd).u53(n).i64(big).text(name);
        const bytes = writer.u64(BigInt.asUintN(64, big)).f32(0.5).f64(-Math.PI).raw(raw).patchU32(8, 5).finish();
        const read = (reader: ByteReader) => [
          reader.u8(),
          reader.u16(),
          reader.align(8).u32(),
          reader.u53(),
          reader.i64(),
          reader.text(),
          reader.u64(),
          reader.f32(),
          reader.f64(),
          [...reader.raw(raw.byteLength)],
          reader.remaining,
        ];
        const expected = [7, 0xfffe, 5, n, big, name, BigInt.asUintN(64, big), 0.5, -Math.PI, [...raw], 0];
        expect(read(new ByteReader(bytes, 'k'))).toEqual(expected);
        for (let length = 0; length < bytes.byteLength; length++) {
          const cut = new ByteReader(bytes.subarray(0, length), 'the-key');
          expect(() => read(cut)).toThrow(expect.objectContaining({ code: 'corrupt', details: { source: 'the-key' } }));
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('a writer refuses what eight bytes cannot give back, a reader what a number cannot hold', () => {
  expect(() => new ByteWriter().u53(2 ** 53)).toThrow(/safe integer/);
  expect(() => new ByteWriter().u53(-1)).toThrow(/safe integer/);
  expect(() => new ByteReader(new Uint8Array(8).fill(0xff), 'k').u53()).toThrow(/2\^53/);
});
