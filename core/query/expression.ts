/**
 * A filter that was checked against a schema: plain, so that it crosses every boundary. Columns are field ids, constants
 * have the type of what they are compared with, and every node is a condition with three values: true, false, unknown.
 */

export type Constant = boolean | number | bigint | string;
export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

/** What a condition looks at in each row. */
export type Operand =
  /** A scalar column, never JSON or Array as a whole. */
  | { readonly kind: 'column'; readonly fieldId: number }
  /** A value inside a JSON document; an empty path is the document. */
  | { readonly kind: 'json'; readonly fieldId: number; readonly path: readonly (string | number)[] }
  /** An element of an Array column. */
  | { readonly kind: 'element'; readonly fieldId: number; readonly index: number }
  /** How many elements an Array column or a JSON array has. */
  | { readonly kind: 'length'; readonly of: Operand | ArrayOperand }
  /** One operation with a constant: `left` says that the constant stands on the left. */
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly operand: Operand;
      readonly constant: number | bigint;
      readonly left: boolean;
    };

/** An Array column as a whole. */
export interface ArrayOperand {
  readonly kind: 'array';
  readonly fieldId: number;
}

export type Expression =
  | { readonly kind: 'always'; readonly value: boolean }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Expression[] }
  | {
      readonly kind: 'compare';
      readonly operator: CompareOperator;
      readonly operand: Operand;
      readonly constant: Constant;
    }
  | {
      readonly kind: 'compare-columns';
      readonly operator: CompareOperator;
      readonly left: Operand;
      readonly right: Operand;
    }
  | { readonly kind: 'in'; readonly operand: Operand; readonly constants: readonly Constant[] }
  | { readonly kind: 'like'; readonly operand: Operand; readonly pattern: string }
  /** The value is null; for a JSON path, absent or null or an empty object. */
  | { readonly kind: 'is-null'; readonly operand: Operand | ArrayOperand }
  /** A whole Array column, or the array at a JSON path, equals a list. */
  | { readonly kind: 'equals-list'; readonly operand: Operand | ArrayOperand; readonly list: readonly JsonConstant[] }
  /** The array holds one, any or all of the values. */
  | {
      readonly kind: 'contains';
      readonly mode: 'any' | 'all';
      readonly operand: Operand | ArrayOperand;
      readonly values: readonly JsonConstant[];
    };

/** A constant that may be a list, as JSON arrays may hold. */
export type JsonConstant = Constant | readonly JsonConstant[];
