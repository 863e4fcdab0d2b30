import fc from 'fast-check';
import { shortestFloat32 } from '../../../core/base/float32.ts';
import type { CollectionMeta, ElementType, Field } from '../../../core/model/schema.ts';

export type AnyRow = Record<string, unknown>;

/** Collections and rows that must come out exactly as they went in, for properties. */
export interface Sample {
  readonly meta: CollectionMeta;
  readonly rows: readonly AnyRow[];
}

const INT64: fc.Arbitrary<bigint> = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Names that are nothing special to us, though they are to JavaScript. */
const NAMES: readonly string[] = ['__proto__', 'constructor', 'toString', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

export const ELEMENT_TYPES: readonly ElementType[] = [
  'Bool',
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'Float',
  'Double',
  'VarChar',
];

export function element(type: ElementType, maxLength: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'Bool':
      return fc.boolean();
    case 'Int8':
      return fc.integer({ min: -128, max: 127 });
    case 'Int16':
      return fc.integer({ min: -32_768, max: 32_767 });
    case 'Int32':
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    case 'Int64':
      return INT64;
    case 'Float':
      return fc.float({ noNaN: true, noDefaultInfinity: true }).map(shortestFloat32);
    case 'Double':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'VarChar':
      return fc.string({ unit: 'binary', maxLength: Math.floor(maxLength / 4) });
  }
}

function json(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.jsonValue({ maxDepth: 4 }).filter((value) => value !== null),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }).map((big) => ({ big: [big, -(big / 4n) - 2n ** 53n] })),
    fc.constant(JSON.parse('{"__proto__":{"a":1},"b":[1e300,0.1,"9007199254740993"]}')),
  );
}

function fields(): fc.Arbitrary<Field[]> {
  const shape = fc.record({
    type: fc.constantFrom(...ELEMENT_TYPES, 'JSON' as const, 'Array' as const, 'FloatVector' as const),
    elementType: fc.constantFrom(...ELEMENT_TYPES),
    nullable: fc.boolean(),
    dimension: fc.integer({ min: 2, max: 5 }),
    keyType: fc.constantFrom('Int64' as const, 'VarChar' as const),
  });
  const names = fc.shuffledSubarray([...NAMES], { minLength: 2, maxLength: NAMES.length });
  return fc
    .tuple(names, fc.array(shape, { minLength: NAMES.length, maxLength: NAMES.length }))
    .map(([chosen, shapes]) =>
      chosen.map((name, index): Field => {
        const { type, elementType, nullable, dimension, keyType } = shapes[index] as NonNullable<
          (typeof shapes)[number]
        >;
        const base = { id: 100 + index, name, description: '', autoId: false, isPrimary: index === 0 };
        if (index === 0)
          return { ...base, type: keyType, nullable: false, ...(keyType === 'VarChar' ? { maxLength: 64 } : {}) };
        if (index === 1 || type === 'FloatVector') return { ...base, type: 'FloatVector', nullable: false, dimension };
        if (type === 'Array') return { ...base, type, nullable, elementType, maxCapacity: 6, maxLength: 64 };
        return { ...base, type, nullable, ...(type === 'VarChar' ? { maxLength: 64 } : {}) };
      }),
    );
}

function inField(field: Field): fc.Arbitrary<unknown> {
  const { type, elementType = 'Bool', dimension = 0, maxLength = 64, maxCapacity = 0 } = field;
  const value =
    type === 'FloatVector'
      ? fc
          .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: dimension, maxLength: dimension })
          .map((numbers) => Float32Array.from(numbers))
      : type === 'JSON'
        ? json()
        : type === 'Array'
          ? fc.array(element(elementType, maxLength), { maxLength: maxCapacity })
          : element(type, maxLength);
  return field.nullable
    ? fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) })
    : value;
}

function rowOf(list: readonly Field[], isDynamic: boolean): fc.Arbitrary<AnyRow> {
  const reserved = new Set([...list.map((field) => field.name), '$meta']);
  const key = fc.string({ unit: 'binary', maxLength: 8 }).filter((name) => !reserved.has(name));
  const extra = isDynamic
    ? fc.array(fc.tuple(key, fc.oneof(json(), fc.constant(null))), { maxLength: 3 })
    : fc.constant([]);
  return fc
    .tuple(
      fc.tuple(...list.map((field) => inField(field).map((value): [string, unknown] => [field.name, value]))),
      extra,
    )
    .map(([known, more]) => Object.fromEntries([...known, ...more]));
}

export function metaOf(list: readonly Field[], enableDynamicField: boolean): CollectionMeta {
  return {
    id: 1,
    version: 1,
    databaseName: 'default',
    collectionName: 'c',
    description: '',
    indexes: [],
    consistencyLevel: 'Bounded',
    shardsNum: 1,
    properties: {},
    schema: { fields: list, enableDynamicField },
  };
}

export function sample(): fc.Arbitrary<Sample> {
  return fc
    .tuple(fields(), fc.boolean())
    .chain(([list, isDynamic]) =>
      fc
        .array(rowOf(list, isDynamic), { minLength: 1, maxLength: 6 })
        .map((rows) => ({ meta: metaOf(list, isDynamic), rows })),
    );
}
