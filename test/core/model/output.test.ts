import { describe, expect, test } from 'vitest';
import { buildBatch, rowsOf } from '../../../core/model/entity.ts';
import { resolveOutputFields, rowsFromBatch } from '../../../core/model/output.ts';
import { DYNAMIC_FIELD_ID, type Field } from '../../../core/model/schema.ts';
import { errorOf } from './expect-error.ts';
import { metaOf } from './generators.ts';

const base = { description: '', autoId: false, nullable: false, isPrimary: false };
const fields: Field[] = [
  { ...base, id: 100, name: 'v', type: 'FloatVector', dimension: 2 },
  { ...base, id: 101, name: 'id', type: 'Int64', isPrimary: true },
  { ...base, id: 102, name: 'price', type: 'Float', nullable: true },
  { ...base, id: 103, name: 'doc', type: 'JSON', nullable: true },
];
const dynamic = metaOf(fields, true);
const fixed = metaOf(fields, false);
const resolve = (names: unknown, defaults: 'all' | 'none' = 'all', meta = dynamic) =>
  resolveOutputFields(names, meta.schema, defaults);

describe('output fields', () => {
  const cases: [string, unknown, 'all' | 'none', number[], 'all' | string[]][] = [
    ['none given to a query', undefined, 'all', [101, 100, 102, 103, DYNAMIC_FIELD_ID], 'all'],
    ['none given to a search', undefined, 'none', [101], []],
    ['null', null, 'none', [101], []],
    ['an empty list', [], 'none', [101], []],
    ['everything', ['*'], 'none', [101, 100, 102, 103, DYNAMIC_FIELD_ID], 'all'],
    ['some, once each, in the order of the schema', ['price', 'v', 'price', 'id'], 'none', [101, 100, 102], []],
    ['a dynamic key', ['color'], 'none', [101, DYNAMIC_FIELD_ID], ['color']],
    ['all dynamic keys', ['$meta', 'color'], 'none', [101, DYNAMIC_FIELD_ID], 'all'],
    ['a quoted dynamic key', ['$meta["a b"]', "$meta['it\\'s']"], 'none', [101, DYNAMIC_FIELD_ID], ['a b', "it's"]],
  ];
  test.each(cases)('%s', (_, names, defaults, fieldIds, dynamicKeys) => {
    expect(resolve(names, defaults)).toEqual({ fieldIds, dynamicKeys });
  });

  test('everything has no dynamic field where the schema has none', () => {
    expect(resolve(['*'], 'all', fixed)).toEqual({ fieldIds: [101, 100, 102, 103], dynamicKeys: [] });
  });

  const wrong: [string, unknown, typeof dynamic, number, string][] = [
    ['an unknown field', ['x'], fixed, 1100, 'field x not exist'],
    ['$meta without a dynamic field', ['$meta'], fixed, 1100, 'field $meta not exist'],
    ['a path into a field', ['doc["a"]'], fixed, 1100, 'parse output field name failed'],
    ['a path into a field of a dynamic schema', ['doc["a"]'], dynamic, 1100, 'parse output field name failed'],
    ['what is no name', ['a b'], dynamic, 1100, 'parse output field name failed'],
    ['a number', [1], dynamic, 1801, 'outputFields must be a list of names'],
    ['no list', 'id', dynamic, 1801, 'outputFields must be a list of names'],
  ];
  test.each(wrong)('%s is refused', (_, names, meta, milvusCode, words) => {
    const error = errorOf(() => resolve(names, 'all', meta));
    expect(error.message).toContain(words);
    expect(error).toMatchObject({ code: 'invalid', milvusCode });
  });
});

describe('rows of a batch', () => {
  const batch = buildBatch(
    rowsOf([
      { id: 2n ** 60n, v: [0.1, 1], price: 0.1, doc: { n: 2n ** 60n }, color: 'red', distance: 'mine' },
      { id: 2, v: [1, 0], price: null, doc: null, ['__proto__']: undefined, 'a b': [1] },
    ]),
    dynamic,
    'insert',
  );
  const read = (names: unknown, distances?: Float32Array) =>
    rowsFromBatch(batch, dynamic.schema, resolve(names), distances);

  test('hold each value as a caller sees it, and dynamic keys where a row has them', () => {
    expect(read(['*'])).toEqual([
      {
        id: 2n ** 60n,
        v: new Float32Array([0.1, 1]),
        price: 0.1,
        doc: { n: 2n ** 60n },
        color: 'red',
        distance: 'mine',
      },
      { id: 2n, v: new Float32Array([1, 0]), price: null, doc: null, 'a b': [1] },
    ]);
    expect(read(['color', '$meta["a b"]'])).toEqual([
      { id: 2n ** 60n, color: 'red' },
      { id: 2n, 'a b': [1] },
    ]);
  });

  test('of a search have the distance, shortest, which goes before a dynamic key of its name', () => {
    expect(read(['$meta'], new Float32Array([0.9, -0.5]))).toEqual([
      { id: 2n ** 60n, distance: 0.9, color: 'red' },
      { id: 2n, distance: -0.5, 'a b': [1] },
    ]);
  });

  test('have vectors of their own, so that one can be transferred or changed', () => {
    const vector = read(['v'])[0]?.['v'] as Float32Array;
    vector[0] = 9;
    expect(read(['v'])[0]?.['v']).toEqual(new Float32Array([0.1, 1]));
    expect(vector.buffer.byteLength).toBe(8);
  });

  test('have an own key __proto__ like any other', () => {
    const rows = rowsOf(JSON.parse('{"id": 1, "v": [0, 0], "price": 1, "doc": 1, "__proto__": {"polluted": true}}'));
    const [row] = rowsFromBatch(buildBatch(rows, dynamic, 'insert'), dynamic.schema, resolve(['*']));
    expect(Object.keys(row as object)).toContain('__proto__');
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect((row as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
