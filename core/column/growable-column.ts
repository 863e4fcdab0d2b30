import { valueFootprint } from '../base/footprint.ts';
import type { Column } from '../model/column.ts';
import type { ElementType, ScalarType } from '../model/schema.ts';
import { emptyLike } from './gather.ts';

type TypedValues = Exclude<Column['values'], readonly unknown[]>;

const TYPED: Readonly<Record<Exclude<ScalarType, 'VarChar' | 'JSON' | 'Array'>, TypedValues>> = {
  Bool: new Uint8Array(0),
  Int8: new Int8Array(0),
  Int16: new Int16Array(0),
  Int32: new Int32Array(0),
  Int64: new BigInt64Array(0),
  Float: new Float32Array(0),
  Double: new Float64Array(0),
};

const CAPACITY_MIN = 64;

/** A column that grows by whole columns: a growing segment's. Growth is amortised; a reader takes `column()` afresh. */
export class GrowableColumn {
  readonly #type: ScalarType;
  readonly #elementType: ElementType | undefined;
  #length = 0;
  #values: TypedValues | unknown[];
  #valid: Uint8Array | undefined;
  /** Of texts and arrays. */
  #valueBytes = 0;

  constructor(type: ScalarType, elementType?: ElementType) {
    this.#type = type;
    this.#elementType = elementType;
    this.#values = type === 'VarChar' || type === 'JSON' || type === 'Array' ? [] : TYPED[type];
  }

  /** The rows so far. Later appends leave them as they are. */
  column(): Column {
    return {
      type: this.#type,
      length: this.#length,
      values: this.#values,
      ...(this.#valid === undefined ? {} : { valid: this.#valid }),
      ...(this.#elementType === undefined ? {} : { elementType: this.#elementType }),
    } as Column;
  }

  /** Bytes of memory, spare room included: typed arrays exactly, texts and arrays about. */
  get bytes(): number {
    const valueBytes = Array.isArray(this.#values) ? this.#valueBytes : this.#values.byteLength;
    return valueBytes + (this.#valid?.byteLength ?? 0);
  }

  append(column: Column): void {
    const end = this.#length + column.length;
    this.#appendValid(column, end);
    if (Array.isArray(this.#values)) {
      for (let row = 0; row < column.length; row++) {
        this.#values.push(column.values[row]);
        this.#valueBytes += valueFootprint(column.values[row]);
      }
    } else {
      if (end > this.#values.length) {
        const larger = emptyLike(this.#values, Math.max(end, 2 * this.#values.length, CAPACITY_MIN));
        larger.set(this.#values.subarray(0, this.#length) as never);
        this.#values = larger;
      }
      this.#values.set((column.values as TypedValues).subarray(0, column.length) as never, this.#length);
    }
    this.#length = end;
  }

  #appendValid(column: Column, end: number): void {
    if (column.valid === undefined && this.#valid === undefined) return;
    if (this.#valid === undefined || end > this.#valid.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#length, CAPACITY_MIN));
      if (this.#valid === undefined) larger.fill(1, 0, this.#length);
      else larger.set(this.#valid.subarray(0, this.#length));
      this.#valid = larger;
    }
    if (column.valid === undefined) this.#valid.fill(1, this.#length, end);
    else this.#valid.set(column.valid.subarray(0, column.length), this.#length);
  }
}
