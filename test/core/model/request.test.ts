import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consistencyOf, pageOf, refuseUnsupported, searchPlan, toKeys } from '../../../core/model/request.ts';
import type { Field } from '../../../core/model/schema.ts';
import { errorOf, neverBreaks } from './expect-error.ts';
import { metaOf } from './generators.ts';

type Body = Record<string, unknown>;

const base = { description: '', autoId: false, nullable: false, isPrimary: false };
const id: Field = { ...base, id: 100, name: 'id', type: 'Int64', isPrimary: true };
const name: Field = { ...id, type: 'VarChar', maxLength: 9 };
const a: Field = { ...base, id: 101, name: 'a', type: 'FloatVector', dimension: 2 };
const one = {
  ...metaOf([id, a], true),
  indexes: [{ indexName: 'a', fieldName: 'a', indexType: 'FLAT', metricType: 'L2' as const, params: {} }],
};
const two = metaOf([id, a, { ...a, id: 102, name: 'b', dimension: 3 }], true);

describe('limit and offset', () => {
  test('have Milvus defaults and bounds', () => {
    expect(pageOf({}, 'search')).toEqual({ limit: 100, offset: 0 });
    expect(pageOf({ limit: null, offset: null }, 'query')).toEqual({ limit: 100, offset: 0 });
    expect(pageOf({ limit: 16_384 }, 'search')).toEqual({ limit: 16_384, offset: 0 });
    expect(pageOf({ limit: 0, offset: 3 }, 'query')).toEqual({ limit: undefined, offset: 3 });
    expect(pageOf({ Limit: 5n, offset: 16_379 }, 'query')).toEqual({ limit: 5, offset: 16_379 });
  });

  const cases: [Body, 'search' | 'query', number, string][] = [
    [{ limit: 0 }, 'search', 1100, 'topk [0] is invalid, it should be in range [1, 16384], but got 0'],
    [{ limit: 16_385 }, 'search', 1100, 'topk [16385] is invalid, it should be in range [1, 16384], but got 16385'],
    [{ limit: 10, offset: 16_380 }, 'search', 1100, 'offset+topk [16390] is invalid'],
    [{ offset: -1 }, 'search', 1100, 'offset [-1] is invalid'],
    [
      { limit: 10, offset: 16_380 },
      'query',
      1100,
      'invalid max query result window, (offset+limit) should be in range [1, 16384], but got 16390: invalid parameter: invalid parameter',
    ],
    [{ limit: 1.5 }, 'query', 1801, 'limit must be an integer'],
    [{ limit: '10' }, 'search', 1801, 'limit must be an integer'],
    [{ offset: 2 ** 60 }, 'search', 1801, 'offset must be an integer'],
  ];
  test.each(cases)('%o in a %s is refused with %d', (body, method, milvusCode, words) => {
    const error = errorOf(() => pageOf(body, method as 'query'));
    expect(error.message).toContain(words);
    expect(error).toMatchObject({ code: 'invalid', milvusCode });
  });
});

test('the consistency level: none is left to the collection, a wrong one is refused', () => {
  for (const none of [undefined, null, '']) expect(consistencyOf({ consistencyLevel: none })).toBeUndefined();
  for (const level of ['Strong', 'Bounded', 'Session', 'Eventually']) {
    expect(consistencyOf({ consistencyLevel: level })).toBe(level);
  }
  expect(errorOf(() => consistencyOf({ consistencyLevel: 'strong' }))).toMatchObject({
    code: 'invalid',
    milvusCode: 1100,
  });
  expect(errorOf(() => consistencyOf({ consistencyLevel: 2 })).message).toContain('consistencyLevel can only be');
  expect(errorOf(() => consistencyOf({ consistencyLevel: 'Customized' })).code).toBe('unsupported');
});

describe('what a search looks for', () => {
  test('is the queries one after the other, in the only vector field or the one it names', () => {
    const plan = searchPlan({ data: [[1, 2], new Float32Array([3, 4])] }, one);
    expect(plan).toEqual({ field: a, queries: new Float32Array([1, 2, 3, 4]), queryCount: 2 });
    expect(searchPlan({ data: [[1, 2, 3]], annsField: 'b' }, two).field.id).toBe(102);
  });

  const search = (more: Body): Body => ({ data: [[1, 2]], ...more });
  const wrong: [string, Body, typeof two, number, string][] = [
    ['no data', {}, one, 1802, "either 'ids' (for primary key search) or 'data' (for vector search) must be provided"],
    ['no query', { data: [] }, one, 1802, "either 'ids'"],
    [
      'a query that is no list',
      { data: [1, 2] },
      one,
      1801,
      'data must hold vectors of 2 numbers each, got a number at 0',
    ],
    ['text', { data: ['hello'] }, one, 1801, 'data must hold vectors'],
    [
      'another dimension',
      { data: [[1, 2], [1]] },
      one,
      1801,
      'can only accept json format request, error: dimension: 2, but length of []float: 1: invalid parameter[expected=FloatVector][actual=[[1]]]',
    ],
    ['NaN', { data: [[1, Number.NaN]] }, one, 1801, 'value is not a number or infinity'],
    ['many queries', { data: Array.from({ length: 16_385 }, () => [1, 2]) }, one, 1100, 'nq [16385] is invalid'],
    [
      'one of two fields',
      search({}),
      two,
      1801,
      'search without annsField, but already found multiple vector fields: [a, b,,,]',
    ],
    ['an unknown field', search({ annsField: 'x' }), one, 1801, 'field not found[field=x]'],
    ['a scalar field', search({ annsField: 'id' }), one, 1801, 'no vector field'],
    [
      'another metric',
      search({ searchParams: { metric_type: 'COSINE' } }),
      one,
      1100,
      'metric type not match: invalid parameter[expected=L2][actual=COSINE]',
    ],
    [
      'one parameter twice',
      search({ searchParams: { ef: 1, params: { ef: 2 } } }),
      one,
      1100,
      'ambiguous parameter: ef, in search_param: 1, in search_param.params: 2',
    ],
    [
      'params of another kind',
      search({ searchParams: { params: 5 } }),
      one,
      1100,
      'searchParams.params must be a dict',
    ],
    [
      'a level',
      search({ searchParams: { level: 11 } }),
      one,
      1100,
      'search param level must be an integer from 1 to 10',
    ],
    [
      'an effort that is no number',
      search({ searchParams: { params: { ef: 'x' } } }),
      one,
      1100,
      'search param ef must be a number',
    ],
  ];
  test.each(wrong)('%s is refused', (_, body, meta, milvusCode, words) => {
    const error = errorOf(() => searchPlan(body, meta));
    expect(error.message).toContain(words);
    expect(error).toMatchObject({ code: 'invalid', milvusCode });
  });

  test.each([
    [{}],
    [{ params: {} }],
    [{ metric_type: 'L2', params: { nprobe: 8, ef: '64' } }],
    [{ level: 3, params: { level: 3 } }],
    [{ metric_type: '', radius: null, group_by_field: '', ignoreGrowing: false, round_decimal: -1 }],
    [{ unheardOf: 1 }],
    [{ hints: 'iterative_filter' }],
  ])('search parameters that change nothing pass: %o', (searchParams) => {
    expect(searchPlan(search({ searchParams }), one).queryCount).toBe(1);
  });

  test.each([
    ['radius', { params: { radius: 0 } }],
    ['range_filter', { radius: 1, range_filter: 0.5 }],
    ['group_by_field', { group_by_field: 'x' }],
    ['ignore_growing', { ignore_growing: true }],
  ])('search parameters that would change the answer are refused: %s', (_, searchParams) => {
    expect(errorOf(() => searchPlan(search({ searchParams }), one))).toMatchObject({
      code: 'unsupported',
      milvusCode: 3000,
    });
  });

  test('query vectors beyond one request are refused before memory is taken', () => {
    const wide = metaOf([id, { ...a, dimension: 32_768 }], true);
    const data = Array.from({ length: 16_000 }, () => []);
    expect(errorOf(() => searchPlan({ data }, wide))).toMatchObject({ code: 'invalid', milvusCode: 1102 });
  });
});

describe('primary keys', () => {
  test('of Int64 are exact in every form; of VarChar a number is its digits', () => {
    expect(toKeys([1, '9223372036854775807', -(2n ** 63n)], id)).toEqual([1n, 2n ** 63n - 1n, -(2n ** 63n)]);
    expect(toKeys('010', id)).toEqual([10n]);
    expect(toKeys(['x', 5, 2n ** 60n, `a"b'`], name)).toEqual(['x', '5', '1152921504606846976', `a"b'`]);
  });

  test.each([['x'], [1.5], [2 ** 53], [null], [{}], [true], [2n ** 63n]])('%s is no Int64 key', (key) => {
    const error = errorOf(() => toKeys([1, key], id));
    expect(error.message).toContain("please check the primary key and its' type can only in [int, string], error: ");
    expect(error).toMatchObject({ code: 'invalid', milvusCode: 1806, details: { field: 'id' } });
  });

  test('none at all is a missing parameter', () => {
    for (const none of [undefined, null, []]) expect(errorOf(() => toKeys(none, id)).milvusCode).toBe(1802);
  });
});

describe('what Milvus defines and is not done yet', () => {
  const asked: [string, string, unknown][] = [
    ['insert', 'partitionName', 'p'],
    ['upsert', 'partialUpdate', true],
    ['upsert', 'fieldOps', [{ op: 'REPLACE' }]],
    ['delete', 'partitionName', 'p'],
    ['get', 'partitionNames', ['p']],
    ['query', 'partitionNames', ['_default', 'p']],
    ['query', 'orderByFields', ['a:asc']],
    ['query', 'groupByFields', ['a']],
    ['search', 'groupingField', 'a'],
    ['search', 'groupSize', 2],
    ['search', 'strictGroupSize', true],
    ['search', 'functionScore', { functions: [{}] }],
    ['search', 'ids', [1]],
    ['search', 'searchAggregation', { fields: ['a'] }],
    ['search', 'functionChains', [{}]],
    ['search', 'PARTITIONNAMES', ['p']],
    ['count', 'partitionNames', ['p']],
  ];
  test.each(asked)('%s refuses %s when it says something', (method, key, value) => {
    const error = errorOf(() => refuseUnsupported({ collectionName: 'c', [key]: value }, method));
    expect(error).toMatchObject({ code: 'unsupported', milvusCode: 3000 });
    expect(error.message.toLowerCase()).toContain(key.toLowerCase());
  });

  test.each([
    ['insert', { partitionName: '_default' }],
    [
      'search',
      { partitionNames: [], groupingField: '', groupSize: 0, strictGroupSize: false, functionScore: {}, ids: [] },
    ],
    ['search', { partitionNames: ['_default'], groupSize: 1, functionScore: null }],
    ['query', { orderByFields: [], unheardOf: 1, __proto__: null }],
    ['flush', { partitionNames: ['p'] }],
  ])('%s passes what says nothing: %o', (method, body) => {
    expect(() => refuseUnsupported(body, method)).not.toThrow();
  });
});

test('whatever a body holds, it is understood or refused with an error of ours', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withTypedArray: true,
    withNullPrototype: true,
  });
  const keys = ['limit', 'offset', 'data', 'annsField', 'searchParams', 'consistencyLevel', 'partitionNames', 'ids'];
  fc.assert(
    fc.property(fc.constantFrom(...keys), anything, (key, value) => {
      const body = { data: [[1, 2]], [key]: value };
      neverBreaks(() => refuseUnsupported(body, 'search'));
      neverBreaks(() => pageOf(body, 'search'));
      neverBreaks(() => consistencyOf(body));
      neverBreaks(() => searchPlan(body, one));
      neverBreaks(() => searchPlan({ ...body, searchParams: { params: value } }, one));
      neverBreaks(() => searchPlan({ ...body, data: [value] }, one));
      neverBreaks(() => toKeys(value, id));
      neverBreaks(() => toKeys(value, name));
    }),
    { numRuns: 3_000 },
  );
});
