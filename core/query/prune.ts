import type { CompareOperator, Constant, Expression, Operand } from './expression.ts';
import { signOf } from './order.ts';

/** What is known of a column of a segment without reading it. */
export interface ColumnStatistics {
  /** The smallest and largest value that is not null, in the order of filters; absent if every row is null. */
  readonly min?: Constant;
  readonly max?: Constant;
  readonly nullCount: number;
}

/** The statistics of a field, if there are any. */
export type StatisticsOf = (fieldId: number) => ColumnStatistics | undefined;

/** Which results some row may have. Both false means that every row is unknown. */
interface Possible {
  readonly true: boolean;
  readonly false: boolean;
}

const ANYTHING: Possible = { true: true, false: true };

/**
 * Whether any row of a segment may match, by its columns' statistics. False is certain; true means that the rows have
 * to be looked at.
 */
export function canMatch(expression: Expression, statistics: StatisticsOf): boolean {
  return possible(expression, statistics).true;
}

function possible(expression: Expression, statistics: StatisticsOf): Possible {
  switch (expression.kind) {
    case 'always':
      return { true: expression.value, false: !expression.value };
    case 'not': {
      const of = possible(expression.of, statistics);
      return { true: of.false, false: of.true };
    }
    case 'and': {
      const parts = expression.of.map((part) => possible(part, statistics));
      return { true: parts.every((part) => part.true), false: parts.some((part) => part.false) };
    }
    case 'or': {
      const parts = expression.of.map((part) => possible(part, statistics));
      return { true: parts.some((part) => part.true), false: parts.every((part) => part.false) };
    }
    case 'compare':
      return compared(expression.operator, expression.constant, knownOf(expression.operand, statistics));
    case 'in':
      return among(expression.constants, knownOf(expression.operand, statistics));
    case 'is-null': {
      const { kind } = expression.operand;
      const known = kind === 'column' || kind === 'array' ? statistics(expression.operand.fieldId) : undefined;
      return known === undefined
        ? ANYTHING
        : { true: known.nullCount > 0, false: kind === 'array' || known.min !== undefined };
    }
    default:
      return ANYTHING;
  }
}

function knownOf(operand: Operand, statistics: StatisticsOf): ColumnStatistics | undefined {
  return operand.kind === 'column' ? statistics(operand.fieldId) : undefined;
}

function compared(operator: CompareOperator, constant: Constant, known: ColumnStatistics | undefined): Possible {
  if (known === undefined) return ANYTHING;
  const { min, max } = known;
  if (min === undefined || max === undefined) return { true: false, false: false };
  const [low, high] = [signOf(min, constant), signOf(max, constant)];
  const isInside = low <= 0 && high >= 0;
  const isOther = low !== 0 || high !== 0;
  switch (operator) {
    case '==':
      return { true: isInside, false: isOther };
    case '!=':
      return { true: isOther, false: isInside };
    case '<':
      return { true: low < 0, false: high >= 0 };
    case '<=':
      return { true: low <= 0, false: high > 0 };
    case '>':
      return { true: high > 0, false: low <= 0 };
    case '>=':
      return { true: high >= 0, false: low < 0 };
  }
}

function among(constants: readonly Constant[], known: ColumnStatistics | undefined): Possible {
  if (known === undefined) return ANYTHING;
  const equal = constants.map((constant) => compared('==', constant, known));
  const hasValues = known.min !== undefined;
  return { true: equal.some((one) => one.true), false: hasValues && equal.every((one) => one.false) };
}
