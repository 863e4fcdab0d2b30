import type { Column } from '../model/column.ts';
import { calculate } from './constants.ts';
import type { ArrayOperand, Expression, Operand } from './expression.ts';
import { type JsonPath, valuesAtPaths } from './json-paths.ts';

/** The columns of the rows that are evaluated, by field id. */
export interface RowSource {
  column(fieldId: number): Column;
}

type JsonOperand = Extract<Operand, { kind: 'json' }>;

/** Integers and constants below these sizes have sums, products and quotients that a double holds exactly. */
const SMALL_CONSTANT = 2 ** 20;
const SMALL_INTEGERS: ReadonlySet<string> = new Set(['Int8', 'Int16', 'Int32']);

/** The values that one evaluation looks at. Each JSON document is parsed at most once for all that it asks. */
export class Values {
  readonly count: number;
  readonly #rows: RowSource;
  /** By field, then by path. */
  readonly #json = new Map<number, Map<string, readonly unknown[]>>();

  constructor(expression: Expression, rows: RowSource, count: number) {
    this.count = count;
    this.#rows = rows;
    const paths = new Map<number, Map<string, JsonPath>>();
    for (const { fieldId, path } of jsonOperands(expression)) {
      const of = paths.get(fieldId) ?? new Map<string, JsonPath>();
      paths.set(fieldId, of.set(JSON.stringify(path), path));
    }
    for (const [fieldId, of] of paths) {
      const lists = valuesAtPaths(rows.column(fieldId), [...of.values()], count);
      const byPath = [...of.keys()].map((key, at) => [key, lists[at] ?? []] as const);
      this.#json.set(fieldId, new Map(byPath));
    }
  }

  column(fieldId: number): Column {
    return this.#rows.column(fieldId);
  }

  /** The value of an operand in each row; `undefined` where it is null or absent. At least `count` of them. */
  of(operand: Operand | ArrayOperand): readonly unknown[] {
    switch (operand.kind) {
      case 'column':
      case 'array':
        return columnValues(this.column(operand.fieldId), this.count);
      case 'json':
        return this.#json.get(operand.fieldId)?.get(JSON.stringify(operand.path)) ?? [];
      case 'element': {
        const { index } = operand;
        return this.of({ kind: 'array', fieldId: operand.fieldId }).map((value) =>
          Array.isArray(value) ? value[index] : undefined,
        );
      }
      case 'length':
        return this.of(operand.of).map((value) => (Array.isArray(value) ? value.length : undefined));
      case 'arithmetic':
        return this.#arithmetic(operand);
    }
  }

  #arithmetic({ operator, operand, constant, left }: Extract<Operand, { kind: 'arithmetic' }>): readonly unknown[] {
    const isSmall = operand.kind === 'column' && SMALL_INTEGERS.has(this.column(operand.fieldId).type);
    if (isSmall && typeof constant === 'bigint' && constant < SMALL_CONSTANT && constant > -SMALL_CONSTANT) {
      const number = Number(constant);
      return this.of(operand).map((value) => {
        if (typeof value !== 'number') return undefined;
        const result = left ? calculate(operator, number, value) : calculate(operator, value, number);
        return operator === '/' ? Math.trunc(Number(result)) : result;
      });
    }
    return this.of(operand).map((value) => {
      if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
      // Two integers stay integers, exact beyond 2^53. For columns of floats the constant is no bigint.
      const isWhole = typeof constant === 'bigint' && typeof value === 'number' && Number.isSafeInteger(value);
      const exact = isWhole ? BigInt(value) : value;
      // A remainder is one of integers; JSON may hold something else.
      if (operator === '%' && typeof exact !== 'bigint') return undefined;
      return left ? calculate(operator, constant, exact) : calculate(operator, exact, constant);
    });
  }
}

function columnValues(column: Column, count: number): unknown[] {
  const { values, valid } = column;
  const found: unknown[] = new Array(count);
  const isBool = column.type === 'Bool';
  for (let row = 0; row < count; row++) {
    if (valid !== undefined && valid[row] === 0) found[row] = undefined;
    else found[row] = isBool ? values[row] === 1 : values[row];
  }
  return found;
}

/** The places in JSON documents that an expression looks at. Whether a whole document is null its column says. */
function jsonOperands(expression: Expression): JsonOperand[] {
  switch (expression.kind) {
    case 'always':
    case 'compare-columns':
      return [];
    case 'not':
      return jsonOperands(expression.of);
    case 'and':
    case 'or':
      return expression.of.flatMap(jsonOperands);
    default: {
      const operand = innermost(expression.operand);
      if (operand.kind !== 'json') return [];
      return expression.kind === 'is-null' && operand.path.length === 0 ? [] : [operand];
    }
  }
}

function innermost(operand: Operand | ArrayOperand): Operand | ArrayOperand {
  if (operand.kind === 'length') return innermost(operand.of);
  return operand.kind === 'arithmetic' ? innermost(operand.operand) : operand;
}
