/** The type in which Int64 values come out: fixed at `open` or `connect`, never mixed, never rounded. */
export type Int64Mode = 'number' | 'bigint' | 'string';
/** The TypeScript type of an Int64 that comes out. */
export type Int64Of<Mode extends Int64Mode> = Mode extends 'number' ? number : Mode extends 'bigint' ? bigint : string;
/** An Int64 that goes in: any of the three, exactly. */
export type Int64Input = number | bigint | string;

/** A primary key that goes in: of an Int64 or a VarChar field. */
export type KeyInput = Int64Input;
/** A primary key that comes out. */
export type KeyOf<Mode extends Int64Mode> = Int64Of<Mode> | string;

/** A query or stored vector: `dimension` finite numbers. */
export type VectorInput = Float32Array | readonly number[];

/** One entity that goes in: field names to values. */
export type RowInput = Readonly<Record<string, unknown>>;
/** One entity that comes out: field names to values. Vectors are `Float32Array` from `open` and from `connect`. */
export type Row = Record<string, unknown>;
