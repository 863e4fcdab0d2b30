import fc from 'fast-check';
import { expect, test } from 'vitest';
import { convertRows, fromInt64, toInt64 } from '../../../core/model/int64.ts';
import { errorOf, neverBreaks } from './expect-error.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

test('every Int64 survives as bigint and as text, and as a number where a number is exact', () => {
  fc.assert(
    fc.property(int64, (value) => {
      expect(toInt64(value)).toBe(value);
      expect(toInt64(value.toString())).toBe(value);
      expect(fromInt64(value, 'bigint', { field: 'f' })).toBe(value);
      expect(fromInt64(value, 'string', { field: 'f' })).toBe(value.toString());
      if (Number.isSafeInteger(Number(value))) {
        expect(toInt64(Number(value))).toBe(value);
        expect(fromInt64(value, 'number', { field: 'f' })).toBe(Number(value));
      } else {
        expect(toInt64(Number(value))).toBeUndefined();
        const error = errorOf(() => fromInt64(value, 'number', { field: 'f', key: 7n }));
        expect(error.details).toMatchObject({ field: 'f', key: '7', option: 'int64', value: value.toString() });
        expect(error.message).toContain("int64: 'bigint'");
      }
    }),
  );
});

test.each([
  ['010', 10n],
  ['-0', 0n],
  ['+5', 5n],
  [-0, 0n],
  [5.0, 5n],
  [1e3, 1000n],
  ['9223372036854775807', 2n ** 63n - 1n],
  ['9223372036854775808', undefined],
  ['-9223372036854775808', -(2n ** 63n)],
  [2 ** 53, undefined],
  [1.5, undefined],
  ['1.5', undefined],
  ['', undefined],
  [' 1', undefined],
  ['0x10', undefined],
  ['1'.repeat(100_000), undefined],
  [true, undefined],
  [null, undefined],
  [undefined, undefined],
  [[1], undefined],
])('%s is the Int64 %s', (value, expected) => {
  expect(toInt64(value)).toBe(expected);
});

test('rows hold one type of integer after conversion, wherever they held a bigint', () => {
  const rows = () => [
    { id: 1n, list: [1n, 2n], json: { a: [2n, { b: 3n }], text: '4', nothing: null }, vector: new Float32Array([1]) },
    JSON.parse('{"__proto__": {"x": 1}}') as Record<string, unknown>,
  ];
  expect(convertRows(rows(), 'number')[0]).toEqual({
    id: 1,
    list: [1, 2],
    json: { a: [2, { b: 3 }], text: '4', nothing: null },
    vector: new Float32Array([1]),
  });
  expect(convertRows(rows(), 'string')[0]).toMatchObject({ id: '1', list: ['1', '2'], json: { a: ['2', { b: '3' }] } });
  expect(convertRows(rows(), 'bigint')).toEqual(rows());
  const [, hostile] = convertRows(rows(), 'number');
  expect(Object.keys(hostile as object)).toEqual(['__proto__']);
  const big = [{ id: 5n, json: { deep: [2n ** 60n] } }];
  expect(errorOf(() => convertRows(big, 'number', 'id')).details).toMatchObject({ field: 'json', key: '5' });
});

test('no value breaks the reading of integers', () => {
  fc.assert(fc.property(fc.anything({ withBigInt: true }), (value) => neverBreaks(() => toInt64(value))));
});
