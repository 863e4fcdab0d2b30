/** A filter as it is written: names are not resolved, types not checked. `at` is the offset in the text. */
export type Syntax =
  /** Without a sign; may be 2^63, of which only the negative is an Int64. */
  | Node<'integer', { readonly value: bigint }>
  | Node<'float', { readonly value: number }>
  | Node<'string', { readonly value: string }>
  | Node<'boolean', { readonly value: boolean }>
  | Node<'list', { readonly items: readonly Syntax[] }>
  /** A template variable, `{name}`. */
  | Node<'variable', { readonly name: string }>
  | PathSyntax
  | CallSyntax
  | Node<'unary', { readonly operator: UnaryOperator; readonly of: Syntax }>
  | BinarySyntax
  /** Operands joined by `and`, or by `or`: a list and no tree, so that a thousand of them are not a thousand deep. */
  | JunctionSyntax
  /** `low < of <= high`, with its operators from left to right. */
  | RangeSyntax
  | IsNullSyntax;

type Node<Kind extends string, Content> = { readonly kind: Kind; readonly at: number } & Content;

export type UnaryOperator = 'not' | '-' | '+' | '~' | 'exists';
export type BinaryOperator =
  | '|'
  | '^'
  | '&'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'in'
  | 'not in'
  | '<<'
  | '>>'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '**'
  | '=~'
  | '!~'
  | 'like';

/** A field, a dynamic key, or a path into one. */
export type PathSyntax = Node<'path', { readonly name: string; readonly steps: readonly (string | number)[] }>;
export type CallSyntax = Node<'call', { readonly name: string; readonly args: readonly Syntax[] }>;
export type BinarySyntax = Node<
  'binary',
  { readonly operator: BinaryOperator; readonly left: Syntax; readonly right: Syntax }
>;
export type JunctionSyntax = Node<'junction', { readonly operator: 'and' | 'or'; readonly of: readonly Syntax[] }>;
export type RangeSyntax = Node<
  'range',
  {
    readonly first: Syntax;
    readonly firstOperator: '<' | '<=' | '>' | '>=';
    readonly of: PathSyntax;
    readonly secondOperator: '<' | '<=' | '>' | '>=';
    readonly second: Syntax;
  }
>;
export type IsNullSyntax = Node<'is-null', { readonly of: PathSyntax; readonly negated: boolean }>;
