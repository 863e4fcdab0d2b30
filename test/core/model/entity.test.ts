import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBatch, encodeBatch } from '../../../core/column/codec.ts';
import { buildBatch, rowsOf } from '../../../core/model/entity.ts';
import { resolveOutputFields, rowsFromBatch } from '../../../core/model/output.ts';
import { DYNAMIC_FIELD_ID, type Field } from '../../../core/model/schema.ts';
import { errorOf, neverBreaks } from './expect-error.ts';
import { type AnyRow, metaOf, sample } from './generators.ts';

const field = (name: string, type: Field['type'], more: Partial<Field> = {}): Field => ({
  id: 102,
  name,
  type,
  description: '',
  isPrimary: false,
  autoId: false,
  nullable: false,
  ...more,
});
const id = field('id', 'Int64', { id: 100, isPrimary: true });
const vector = field('v', 'FloatVector', { id: 101, dimension: 2 });

/** The value that a field stores for an input, as a reader sees it; `undefined` leaves the key out. */
function stored(of: Field, value: unknown): unknown {
  const meta = metaOf([id, vector, of], false);
  const batch = buildBatch(
    rowsOf({ id: 1, v: [0, 1], ...(value === undefined ? {} : { [of.name]: value }) }),
    meta,
    'insert',
  );
  return rowsFromBatch(batch, meta.schema, resolveOutputFields(['*'], meta.schema, 'all'))[0]?.[of.name];
}

describe('rows come out as they went in', () => {
  test('for any schema and any rows, also over the encoding of the log', () => {
    fc.assert(
      fc.property(sample(), fc.boolean(), ({ meta, rows }, isEncoded) => {
        const built = buildBatch(rowsOf(structuredClone(rows)), meta, 'insert');
        const batch = isEncoded ? decodeBatch(encodeBatch(built)) : built;
        const out = rowsFromBatch(batch, meta.schema, resolveOutputFields(undefined, meta.schema, 'all'));
        // Not `toEqual`: it does not look at an own key `__proto__`.
        if (!isDeepStrictEqual(out, rows)) expect(out).toStrictEqual(rows);
        expect(isDeepStrictEqual(out, rows)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('every Int64 in all three forms, as a key and as a value', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const forms: unknown[] = [value, value.toString()];
        if (Number.isSafeInteger(Number(value))) forms.push(Number(value));
        for (const form of forms) expect(stored(field('f', 'Int64'), form)).toBe(value);
        const meta = metaOf([id, vector], false);
        for (const form of forms) {
          const keys = buildBatch(rowsOf([{ id: form, v: [0, 0] }]), meta, 'upsert').scalars.get(100);
          expect(keys?.values[0]).toBe(value);
        }
      }),
    );
  });
});

const text = (more: Partial<Field> = {}) => field('f', 'VarChar', { maxLength: 6, ...more });
const list = (elementType: Field['elementType']) =>
  field('f', 'Array', { elementType: elementType as 'Int8', maxCapacity: 3, maxLength: 4 });

describe('what each type accepts', () => {
  const cases: [string, Field, unknown, unknown][] = [
    ['Bool text', field('f', 'Bool'), 'true', true],
    ['Bool t', field('f', 'Bool'), 't', true],
    ['Bool 0', field('f', 'Bool'), 0, false],
    ['Int8 1e2', field('f', 'Int8'), 1e2, 100],
    ['Int8 5.0', field('f', 'Int8'), 5.0, 5],
    ['Int8 text', field('f', 'Int8'), '-128', -128],
    ['Int16 bigint', field('f', 'Int16'), 32767n, 32767],
    ['Int64 leading zero', field('f', 'Int64'), '010', 10n],
    ['Float text', field('f', 'Float'), '1.5e1', 15],
    ['Float nearest', field('f', 'Float'), 0.1, 0.1],
    ['Double text', field('f', 'Double'), '-.5', -0.5],
    ['VarChar', text(), 'añb', 'añb'],
    ['VarChar of a number', text(), 1.5, '1.5'],
    ['VarChar of true', text(), true, 'true'],
    ['VarChar of a bigint', text(), 12n, '12'],
    ['VarChar at its bytes', text(), 'ééé', 'ééé'],
    ['a JSON text stays a text', field('f', 'JSON'), '{"a":1}', '{"a":1}'],
    ['JSON bigint', field('f', 'JSON'), { a: 2n ** 64n - 1n }, { a: 2n ** 64n - 1n }],
    ['Array of quoted numbers', list('Int32'), ['1', 2, 3n], [1, 2, 3]],
    ['Array of Int64', list('Int64'), ['9223372036854775807'], [2n ** 63n - 1n]],
    ['Array of Float', list('Float'), [0.1], [0.1]],
    ['Array from a typed array', list('Int32'), new Int32Array([1, 2]), [1, 2]],
    ['null where nullable', text({ nullable: true }), null, null],
    ['absent where nullable', text({ nullable: true }), undefined, null],
    ['a default for absent', text({ defaultValue: 'd' }), undefined, 'd'],
    ['a default for null, nullable or not', text({ defaultValue: 'd', nullable: true }), null, 'd'],
    ['a default Int64', field('f', 'Int64', { defaultValue: 2n ** 62n }), undefined, 2n ** 62n],
    ['vector as list', field('f', 'FloatVector', { dimension: 2 }), [1, 0.5], new Float32Array([1, 0.5])],
    [
      'vector as doubles',
      field('f', 'FloatVector', { dimension: 2 }),
      new Float64Array([1, 2]),
      new Float32Array([1, 2]),
    ],
  ];
  test.each(cases)('%s', (_, of, value, expected) => {
    expect(stored(of, value)).toEqual(expected);
  });
});

describe('what each type refuses, with the words of Milvus, field and row', () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 1025; depth++) deep = [deep];
  const cycle: unknown[] = [];
  cycle.push(cycle);
  let wide: unknown = 1;
  for (let depth = 0; depth < 100; depth++) wide = [wide, wide];
  const vec = field('f', 'FloatVector', { dimension: 2 });
  const cases: [string, Field, unknown, string, number?][] = [
    ['absent', text(), undefined, 'field f is required: missing parameter'],
    ['null', text(), null, 'field f is not nullable: invalid parameter'],
    ['Bool 2', field('f', 'Bool'), 2, 'field f expects true or false'],
    [
      'Int8 128',
      field('f', 'Int8'),
      128,
      'field f value must be an integer in range [-128, 127]: invalid parameter[expected=Int8][actual=128]',
    ],
    ['Int32 1.5', field('f', 'Int32'), 1.5, 'must be an integer in range [-2147483648, 2147483647]'],
    ['Int16 true', field('f', 'Int16'), true, 'must be an integer'],
    ['Int64 beyond 2^53 as a number', field('f', 'Int64'), 2 ** 53, 'give it as a bigint or as a decimal string'],
    [
      'Int64 beyond its range',
      field('f', 'Int64'),
      '9223372036854775808',
      'must be an integer in range [-9223372036854775808',
    ],
    ['Float beyond float32', field('f', 'Float'), 1e39, 'value is outside the float32 range'],
    ['Float NaN', field('f', 'Float'), Number.NaN, 'is not a number or infinity'],
    ['Double "Infinity"', field('f', 'Double'), 'Infinity', 'is not a number or infinity'],
    ['Double text', field('f', 'Double'), 'x', 'expects a number'],
    ['VarChar object', text(), {}, 'field f expects a string, got a JSON object'],
    ['VarChar array', text(), [], 'field f expects a string, got a JSON array'],
    [
      'VarChar too long',
      text(),
      'éééa',
      'length of varchar field f exceeds max length, row number: 1, length: 7, max length: 6',
      1100,
    ],
    ['VarChar lone surrogate', text(), '\ud800', 'lone surrogate'],
    ['JSON undefined', field('f', 'JSON'), { a: undefined }, 'JSON cannot say'],
    ['JSON NaN', field('f', 'JSON'), [Number.NaN], 'not a JSON number'],
    ['JSON beyond uint64', field('f', 'JSON'), 2n ** 64n, 'exceeds the 64-bit range supported by the JSON engine'],
    ['JSON too deep', field('f', 'JSON'), deep, 'nests deeper than 1024'],
    ['JSON in a circle', field('f', 'JSON'), cycle, 'nests deeper than 1024'],
    ['JSON that explodes', field('f', 'JSON'), wide, 'holds more than'],
    ['JSON Date', field('f', 'JSON'), new Date(0), 'a value of type Date'],
    ['Array of null', list('Int8'), [1, null], 'has a null at index 1; an array element cannot be null'],
    ['Array with a hole', list('Int8'), Array(1), 'has a null at index 0'],
    ['no Array', list('Int8'), 'x', 'expects an array'],
    ['Array too long', list('Int8'), [1, 2, 3, 4], 'array length exceeds max capacity', 1100],
    ['Array element of another type', list('Int8'), [1, 1.5], 'element 1: field f value must be an integer'],
    ['Array text too long', list('VarChar'), ['abcde'], 'length of varchar field f exceeds max length', 1100],
    ['vector too short', vec, [1], "[]float32 size 1 doesn't equal to vector dimension 2 of FloatVector"],
    ['vector text', vec, '[1,2]', 'expects a list of numbers'],
    ['vector NaN', vec, [1, Number.NaN], 'value is not a number or infinity'],
    [
      'typed vector with infinity',
      vec,
      new Float32Array([1, Number.POSITIVE_INFINITY]),
      'value is not a number or infinity',
    ],
    ['vector beyond float32', vec, [1, 1e39], 'value is outside the float32 range'],
    ['vector of texts', vec, ['1', '2'], 'expects numbers'],
  ];
  const good = (of: Field): unknown => {
    if (of.type === 'FloatVector') return [0, 0];
    return of.type === 'Array' ? [] : of.type === 'VarChar' ? '' : 0;
  };
  test.each(cases)('%s', (_, of, value, words, milvusCode = 1804) => {
    const meta = metaOf([id, vector, of], false);
    const bad = { id: 2, v: [0, 0], ...(value === undefined ? {} : { f: value }) };
    const rows = rowsOf([{ id: 1, v: [0, 0], f: good(of) }, bad]);
    const error = errorOf(() => buildBatch(rows, meta, 'insert'));
    expect(error.message).toContain(words);
    if (milvusCode === 1804) expect(error.message).toMatch(/^fail to deal the insert data, error: /);
    expect(error).toMatchObject({ code: 'invalid', milvusCode, details: { field: 'f', row: 1 } });
  });

  test('a random bad value in a random place is refused and names field and row', () => {
    const isBad: Readonly<Record<Field['type'], unknown>> = {
      Bool: 'yes',
      Int8: 128,
      Int16: 1.5,
      Int32: 'x',
      Int64: 2 ** 60,
      Float: 1e39,
      Double: 'NaN',
      VarChar: {},
      JSON: [undefined],
      Array: [null],
      FloatVector: [Number.NaN],
    };
    fc.assert(
      fc.property(sample(), fc.nat(), fc.nat(), ({ meta, rows }, row, which) => {
        const at = row % rows.length;
        const target = meta.schema.fields[which % meta.schema.fields.length] as Field;
        const broken = rows.map((values, index) =>
          index === at ? Object.fromEntries([...Object.entries(values), [target.name, isBad[target.type]]]) : values,
        );
        const error = errorOf(() => buildBatch(rowsOf(broken), meta, 'insert'));
        expect(error.details).toMatchObject({ field: target.name, row: at });
      }),
      { numRuns: 300 },
    );
  });
});

describe('automatic keys', () => {
  const auto = metaOf([{ ...id, autoId: true }, vector], false);
  const autoText = metaOf([{ ...id, type: 'VarChar', autoId: true, maxLength: 16 }, vector], false);
  const rows = rowsOf([{ v: [0, 0] }, { v: [1, 1], id: null }]);

  test('are given to the rows of an insert, as integers or as their decimal text', () => {
    expect([...(buildBatch(rows, auto, 'insert', 7).scalars.get(100)?.values ?? [])]).toEqual([7n, 8n]);
    expect(buildBatch(rows, autoText, 'insert', 9).scalars.get(100)?.values).toEqual(['9', '10']);
  });

  test('may not be brought by an insert, and must be by an upsert', () => {
    const error = errorOf(() => buildBatch(rowsOf([{ v: [0, 0] }, { id: 1, v: [0, 0] }]), auto, 'insert', 1));
    expect(error.message).toContain('no need to pass pk field(id) when autoid==true in insert');
    expect(error).toMatchObject({ milvusCode: 1804, details: { field: 'id', row: 1 } });
    expect(errorOf(() => buildBatch(rows, auto, 'upsert')).message).toContain('field id is required');
    expect(buildBatch(rowsOf({ id: 5, v: [0, 0] }), auto, 'upsert').scalars.get(100)?.values[0]).toBe(5n);
  });
});

describe('rows and their keys', () => {
  test('one object is one row; nothing, and what is no object, is refused', () => {
    expect(rowsOf({ id: 1 })).toHaveLength(1);
    for (const nothing of [undefined, null, []]) expect(errorOf(() => rowsOf(nothing)).milvusCode).toBe(1802);
    expect(errorOf(() => rowsOf([{}, 5])).details).toMatchObject({ row: 1 });
    for (const wrong of ['x', [[1]], [null], new Float32Array(2), [new Map()]]) errorOf(() => rowsOf(wrong));
  });

  test('a key twice: refused in one upsert, kept in one insert', () => {
    const meta = metaOf([id, vector], false);
    const twice = rowsOf([
      { id: 1, v: [0, 0] },
      { id: '1', v: [1, 1] },
    ]);
    const error = errorOf(() => buildBatch(twice, meta, 'upsert'));
    expect(error.message).toContain('duplicate primary keys are not allowed in the same batch');
    expect(error).toMatchObject({ milvusCode: 1100, details: { row: 1, key: '1' } });
    expect(buildBatch(twice, meta, 'insert').length).toBe(2);
  });

  test('keys beyond the schema need the dynamic field, and $meta is not one of them', () => {
    const row = { id: 1, v: [0, 0], x: null, undefinedIsAbsent: undefined };
    const error = errorOf(() => buildBatch(rowsOf(row), metaOf([id, vector], false), 'insert'));
    expect(error.message).toContain('has pass more field without dynamic schema, please check it');
    expect(error).toMatchObject({ milvusCode: 1804, details: { field: 'x', row: 0 } });
    const dynamic = metaOf([id, vector], true);
    expect(buildBatch(rowsOf([row, { id: 2, v: [0, 0] }]), dynamic, 'insert').scalars.get(DYNAMIC_FIELD_ID)).toEqual({
      type: 'JSON',
      length: 2,
      values: ['{"x":null}', '{}'],
    });
    const meta = errorOf(() => buildBatch(rowsOf({ ...row, $meta: {} }), dynamic, 'insert'));
    expect(meta.message).toContain('use the invalid field name($meta) when enable dynamicField');
  });

  test.each(['constructor', 'toString', '__proto__'])(
    'a field named %s is absent where a row does not have it',
    (name) => {
      const may = metaOf([id, vector, field(name, 'JSON', { nullable: true })], false);
      const row = rowsOf({ id: 1, v: [0, 0] });
      expect(buildBatch(row, may, 'insert').scalars.get(102)?.valid).toEqual(new Uint8Array([0]));
      const must = metaOf([id, vector, field(name, 'JSON')], false);
      expect(errorOf(() => buildBatch(row, must, 'insert')).message).toContain(`field ${name} is required`);
    },
  );

  test('the dynamic keys of a row take at most 65,536 bytes', () => {
    const dynamic = metaOf([id, vector], true);
    const write = (length: number) =>
      buildBatch(rowsOf({ id: 1, v: [0, 0], x: 'é'.repeat(length) }), dynamic, 'insert');
    // {"x":"…"} is eight bytes beside the text.
    expect(write(32_764).length).toBe(1);
    expect(errorOf(() => write(32_765))).toMatchObject({ milvusCode: 1100, details: { field: '$meta', row: 0 } });
  });

  test('vectors beyond one request are refused before memory is taken', () => {
    const meta = metaOf([id, { ...vector, dimension: 32_768 }], false);
    const many: AnyRow[] = Array.from({ length: 100_000 }, () => ({}));
    expect(errorOf(() => buildBatch(rowsOf(many), meta, 'insert'))).toMatchObject({
      code: 'invalid',
      milvusCode: 1102,
    });
  });
});

test('whatever a row holds, it is stored or refused with an error of ours', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
  });
  const names = ['id', 'v', 'bool', 'int', 'big', 'real', 'text', 'json', 'list', 'more', '__proto__'];
  const meta = metaOf(
    [
      id,
      vector,
      field('bool', 'Bool', { id: 103 }),
      field('int', 'Int8', { id: 104 }),
      field('big', 'Int64', { id: 105 }),
      field('real', 'Float', { id: 106 }),
      field('text', 'VarChar', { id: 107, maxLength: 9 }),
      field('json', 'JSON', { id: 108 }),
      field('list', 'Array', { id: 109, elementType: 'VarChar', maxCapacity: 4, maxLength: 4 }),
    ],
    true,
  );
  const good = { id: 1, v: [1, 2], bool: true, int: 1, big: 1, real: 1, text: 'a', json: {}, list: [] };
  fc.assert(
    fc.property(fc.constantFrom(...names), anything, fc.boolean(), (name, value, isUpsert) => {
      const row = Object.fromEntries([...Object.entries(good), [name, value]]);
      neverBreaks(() => buildBatch(rowsOf(row), meta, isUpsert ? 'upsert' : 'insert'));
      neverBreaks(() => rowsOf(value));
    }),
    { numRuns: 5_000 },
  );
});
