import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, parseMarked, stringifyJson } from '../../../core/base/json.ts';

/** What JSON can hold here: safe integers and fractions as numbers, larger integers as bigint. */
const integer = fc
  .bigInt({ min: -(2n ** 70n), max: 2n ** 70n })
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
const edge = fc.constantFrom(
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  -(2n ** 63n),
  1e300,
  5e-324,
  0.1234567890123456,
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\u0000', '\u00001', '\u0000\u00009007199254740993', '12345678901234567890', ' 9007199254740993,'),
);
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    integer,
    edge,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    text,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

describe('JSON that keeps 64-bit integers', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(parseJson(stringifyJson(original))).toEqual(original);
      }),
    );
  });

  it('reads the same on a host that gives revivers no source', () => {
    fc.assert(
      fc.property(value, fc.constantFrom('', ' ', '\n'), (original, space) => {
        const json = `${space}${stringifyJson(original)}${space}`;
        expect(parseMarked(json)).toEqual(original);
      }),
    );
  });

  it('reads integers exactly, and everything else as JSON.parse does', () => {
    expect(parseJson('9007199254740991')).toBe(9007199254740991);
    expect(parseJson('9007199254740992')).toBe(9007199254740992n);
    expect(parseJson('{"id":-9223372036854775808}')).toEqual({ id: -9223372036854775808n });
    expect(parseJson('[ 9223372036854775807\n]')).toEqual([9223372036854775807n]);
    expect(parseJson('[9223372036854775807.0,1e17,"9223372036854775807"]')).toEqual([
      2 ** 63,
      1e17,
      '9223372036854775807',
    ]);
    expect(parseJson('[0.12345678901234567890]')).toEqual([0.12345678901234568]);
    expect(() => parseJson('[9223372036854775807')).toThrow(SyntaxError);
    expect(() => parseMarked('[9223372036854775807')).toThrow(SyntaxError);
    expect(() => parseMarked('["\\u0000", 09223372036854775807]')).toThrow(SyntaxError);
  });

  it('writes a float32 by its shortest decimal, and refuses what JSON cannot say', () => {
    expect(stringifyJson({ vector: new Float32Array([0.1, -2, 1e-7]), gone: undefined })).toBe(
      '{"vector":[0.1,-2,1e-7]}',
    );
    expect(stringifyJson(new Uint8Array([1, 255]))).toBe('[1,255]');
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, new Float32Array([Number.NaN]), [() => 1]]) {
      expect(() => stringifyJson(bad)).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
  });

  it('parses a string of several megabytes where no source is given', () => {
    const long = 'a\\"b'.repeat(1_000_000);
    expect(parseMarked(`{"a":"${long}","b":9007199254740993}`)).toMatchObject({ b: 9007199254740993n });
  });
});
