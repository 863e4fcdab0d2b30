import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shortestFloat32 } from '../../../core/base/float32.ts';
import { utf8Length } from '../../../core/base/utf8-length.ts';

const bits = new Uint32Array(1);
const floats = new Float32Array(bits.buffer);

function floatOf(pattern: number): number {
  bits[0] = pattern;
  return floats[0] as number;
}

/** The fewest digits that text formatting needs: the slow definition. */
function digitsNeeded(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    if (Math.fround(Number(value.toPrecision(digits))) === value) return digits;
  }
  return 9;
}

function digitsOf(value: number): number {
  return value.toExponential().replace(/e.*|[-.]/g, '').length;
}

test('the shortest decimal is the same float32, with no digit more than needed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (pattern) => {
      const value = floatOf(pattern);
      const short = shortestFloat32(value);
      expect(Object.is(Math.fround(short), value)).toBe(true);
      if (Number.isFinite(value) && !Number.isInteger(value)) expect(digitsOf(short)).toBe(digitsNeeded(value));
    }),
    { numRuns: 20_000 },
  );
});

test('decimals of up to six digits come out as they went in', () => {
  fc.assert(
    fc.property(fc.integer({ min: -999_999, max: 999_999 }), fc.integer({ min: -35, max: 30 }), (digits, exponent) => {
      const value = Number(`${digits}e${exponent}`);
      expect(shortestFloat32(Math.fround(value))).toBe(value);
    }),
    { numRuns: 20_000 },
  );
});

test('edges: subnormals, the largest, zeros, and what has no digits', () => {
  expect(shortestFloat32(2 ** -149)).toBe(1e-45);
  expect(shortestFloat32(Math.fround(3.4028234663852886e38))).toBe(3.4028235e38);
  expect(shortestFloat32(-0)).toBe(-0);
  expect(shortestFloat32(16_777_215)).toBe(16_777_215);
  expect(shortestFloat32(Number.NaN)).toBeNaN();
  expect(shortestFloat32(Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
});

test('UTF-8 lengths are those of the encoder; a lone surrogate has none', () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(utf8Length(text)).toBe(encoder.encode(text).length);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0xd700, max: 0xe0ff })), (units) => {
      const text = String.fromCharCode(...units);
      expect(utf8Length(text) === -1).toBe(!text.isWellFormed());
    }),
  );
});
