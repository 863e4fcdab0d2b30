import type { Embedder, EmbeddingCache, Int64Mode, Int64Of } from '../elanus.ts';
import type { DataType, ElementType } from '../model/schema.ts';

/** A field as a handle states it: the name of its type, or the type with its properties. */
export type FieldSpec =
  | Exclude<DataType, 'Array'>
  | {
      readonly type: DataType;
      /** The primary key; exactly one field has it. */
      readonly primary?: true;
      /** The engine makes the keys. */
      readonly autoId?: true;
      readonly nullable?: true;
      /** Of an Array. */
      readonly elementType?: ElementType;
      /** Most elements of an Array; 4,096 by default. */
      readonly maxCapacity?: number;
      /** Most UTF-8 bytes of a VarChar; 65,535 by default. */
      readonly maxLength?: number;
      /** Of a FloatVector; an embedder's dimension by default. */
      readonly dimension?: number;
    };

/** Field names to types, in the order of the schema. */
export type Fields = Readonly<Record<string, FieldSpec>>;

/** What a handle knows of its collection; all of it is optional. */
export interface CollectionOptions {
  /** `default` if absent. */
  readonly dbName?: string;
  /** The fields, from which the row type follows; compared with the collection at the first call. */
  readonly fields?: Fields;
  /** Makes vectors of texts, when rows are inserted without one and when a search is given text. */
  readonly embedder?: Embedder;
  /** Where embedded texts are looked for first; 16 MiB in memory for each embedder by default, `false` for none. */
  readonly embeddingCache?: EmbeddingCache | false;
  /** The VarChar field that is embedded; the only one besides the primary key by default. */
  readonly textField?: string;
  /** The vector field that the embedder fills; the only vector field by default. */
  readonly vectorField?: string;
}

type ScalarOf<Type, Mode extends Int64Mode> = Type extends 'Bool'
  ? boolean
  : Type extends 'Int64'
    ? Int64Of<Mode>
    : Type extends 'Int8' | 'Int16' | 'Int32' | 'Float' | 'Double'
      ? number
      : Type extends 'VarChar'
        ? string
        : unknown;

type TypeOf<Spec> = Spec extends { readonly type: infer Type } ? Type : Spec;

type ValueOf<Spec, Mode extends Int64Mode> =
  TypeOf<Spec> extends 'FloatVector'
    ? Float32Array
    : TypeOf<Spec> extends 'Array'
      ? Spec extends { readonly elementType: infer Element }
        ? ScalarOf<Element, Mode>[]
        : unknown[]
      : ScalarOf<TypeOf<Spec>, Mode>;

/** The row that comes out of a collection with these fields. */
export type RowOf<F extends Fields, Mode extends Int64Mode> = {
  -readonly [Name in keyof F]: F[Name] extends { readonly nullable: true }
    ? ValueOf<F[Name], Mode> | null
    : ValueOf<F[Name], Mode>;
};

/** What may stand in a row that goes in, for each value that comes out: vectors as arrays, Int64 in any form. */
export type Writable<Value> = Value extends Float32Array
  ? Float32Array | readonly number[]
  : Value extends number | bigint
    ? number | bigint | string
    : Value;

/** A row that goes in: what the engine makes (automatic keys, embedded vectors, nulls) may be left out. */
export type RowInputOf<R extends object> = { readonly [Name in keyof R]?: Writable<R[Name]> };
