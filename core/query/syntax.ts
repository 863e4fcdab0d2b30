/** A filter as it is written: names are not resolved, types not checked. `at` is the offset in the text. */
export type Syntax =
  | { readonly kind: 'integer'; readonly value: bigint; readonly at: number }
  | { readonly kind: 'float'; readonly value: number; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly at: number }
  | { readonly kind: 'list'; readonly items: readonly Syntax[]; readonly at: number }
  /** A template variable, `{name}`. */
  | { readonly kind: 'variable'; readonly name: string; readonly at: number }
  /** A field, a dynamic key, or a path into one. */
  | { readonly kind: 'path'; readonly name: string; readonly steps: readonly (string | number)[]; readonly at: number }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Syntax[]; readonly at: number }
  | { readonly kind: 'unary'; readonly operator: 'not' | '-' | '+' | '~' | 'exists'; readonly of: Syntax; readonly at: number }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Syntax; readonly right: Syntax; readonly at: number }
  /** `low < of <= high`, with its operators from left to right. */
  | {
      readonly kind: 'range';
      readonly first: Syntax;
      readonly firstOperator: string;
      readonly of: Syntax;
      readonly secondOperator: string;
      readonly second: Syntax;
      readonly at: number;
    }
  | { readonly kind: 'is-null'; readonly of: Syntax; readonly negated: boolean; readonly at: number };
