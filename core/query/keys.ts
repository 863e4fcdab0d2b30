import type { Key } from '../model/column.ts';
import type { ArrayOperand, Expression, Operand } from './expression.ts';

/** Whether the filter holds for every row, whatever is in it. */
export function isAlwaysTrue(expression: Expression): boolean {
  return expression.kind === 'always' && expression.value;
}

/** Whether the filter holds for no row, whatever is in it. */
export function isAlwaysFalse(expression: Expression): boolean {
  if (expression.kind === 'always') return !expression.value;
  return expression.kind === 'in' && expression.constants.length === 0;
}

/**
 * The keys that a filter names, each once, if it is nothing but `pk == v`, `pk in [...]`, or several of these with
 * `or`; none if it is always false.
 */
export function keysOf(expression: Expression, primaryFieldId: number): readonly Key[] | undefined {
  const keys = namedKeys(expression, primaryFieldId);
  return keys === undefined ? undefined : [...new Set(keys)];
}

function namedKeys(expression: Expression, primaryFieldId: number): readonly Key[] | undefined {
  if (isAlwaysFalse(expression)) return [];
  if (expression.kind === 'compare' && expression.operator === '==' && isColumn(expression.operand, primaryFieldId)) {
    return [expression.constant as Key];
  }
  if (expression.kind === 'in' && isColumn(expression.operand, primaryFieldId)) return expression.constants as Key[];
  if (expression.kind !== 'or') return undefined;
  const keys: Key[] = [];
  for (const part of expression.of) {
    const some = namedKeys(part, primaryFieldId);
    if (some === undefined) return undefined;
    for (const key of some) keys.push(key);
  }
  return keys;
}

function isColumn(operand: Operand, fieldId: number): boolean {
  return operand.kind === 'column' && operand.fieldId === fieldId;
}

/** The fields that an evaluation reads. */
export function fieldsOf(expression: Expression): number[] {
  const fields = new Set<number>();
  collect(expression, fields);
  return [...fields];
}

function collect(expression: Expression, fields: Set<number>): void {
  switch (expression.kind) {
    case 'always':
      return;
    case 'not':
      collect(expression.of, fields);
      return;
    case 'and':
    case 'or':
      for (const part of expression.of) collect(part, fields);
      return;
    case 'compare-columns':
      fields.add(fieldOf(expression.left)).add(fieldOf(expression.right));
      return;
    default:
      fields.add(fieldOf(expression.operand));
  }
}

function fieldOf(operand: Operand | ArrayOperand): number {
  if (operand.kind === 'length') return fieldOf(operand.of);
  if (operand.kind === 'arithmetic') return fieldOf(operand.operand);
  return operand.fieldId;
}
