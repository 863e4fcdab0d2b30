import type { CollectionSchema } from '../model/schema.ts';
import { resolveCall } from './calls.ts';
import { compare, exists, isIn, isNull, like, range } from './conditions.ts';
import {
  foldBinary,
  foldUnary,
  int64,
  isArithmetic,
  isComparison,
  showConstant,
  type TemplateValues,
  templateValue,
} from './constants.ts';
import type { Expression, JsonConstant } from './expression.ts';
import { fault, inText, notYet } from './fault.ts';
import {
  type ConstantValue,
  isInteger,
  resolveArithmetic,
  resolvePath,
  type Scope,
  type TypedOperand,
} from './operands.ts';
import { parseSyntax } from './parser.ts';
import type { BinarySyntax, Syntax } from './syntax.ts';

/** What a piece of a filter means: a value, something that each row has a value of, or a condition on rows. */
export type Resolved = ConstantValue | TypedOperand | Condition;

export interface Condition {
  readonly kind: 'condition';
  readonly expression: Expression;
  readonly at: number;
}

/**
 * Parses a filter of Milvus's language and checks it against a schema.
 *
 * @param templates the request's `exprParams`, for `{name}` in the text
 * @throws `invalid` (Milvus 1100) for what is no filter of this schema: the message quotes the text and says where;
 * `unsupported` for what is not done yet
 */
export function parseFilter(text: string, schema: CollectionSchema, templates: TemplateValues = {}): Expression {
  return inText(text, () => predicate(resolve(parseSyntax(text), { schema, templates })));
}

/** The condition that a piece of a filter states. */
function predicate(resolved: Resolved): Expression {
  if (resolved.kind === 'condition') return resolved.expression;
  if (resolved.kind === 'operand') throw fault(`predicate is not a boolean expression: it is a field`, resolved.at);
  const { value, at, isTemplate } = resolved;
  if (typeof value === 'boolean' && !isTemplate) return { kind: 'always', value };
  throw fault(`predicate is not a boolean expression: ${showConstant(value)}`, at);
}

function resolve(syntax: Syntax, scope: Scope): Resolved {
  const { at } = syntax;
  switch (syntax.kind) {
    case 'integer':
      return constant(int64(syntax.value, at), at);
    case 'float':
    case 'string':
    case 'boolean':
      return constant(syntax.value, at);
    case 'list':
      return constant(
        syntax.items.map((item) => element(resolve(item, scope))),
        at,
      );
    case 'variable':
      return { kind: 'constant', value: templateValue(syntax.name, scope.templates, at), isTemplate: true, at };
    case 'path':
      return resolvePath(syntax, scope);
    case 'call': {
      const resolved = resolveCall(
        syntax.name,
        syntax.args.map((argument) => resolve(argument, scope)),
        at,
      );
      return 'operand' in resolved && resolved.kind === 'operand' ? resolved : condition(resolved as Expression, at);
    }
    case 'unary':
      return resolveUnary(syntax, scope);
    case 'binary':
      return resolveBinary(syntax, scope);
    case 'junction':
      return condition(
        joined(
          syntax.operator,
          syntax.of.map((part) => predicate(resolve(part, scope))),
        ),
        at,
      );
    case 'range': {
      const bounds = [resolve(syntax.first, scope), resolve(syntax.second, scope)] as const;
      const operators = [syntax.firstOperator, syntax.secondOperator] as const;
      return condition(range(bounds, operators, resolvePath(syntax.of, scope), at), at);
    }
    case 'is-null':
      return condition(isNull(resolvePath(syntax.of, scope), syntax.negated), at);
  }
}

function constant(value: JsonConstant, at: number): ConstantValue {
  return { kind: 'constant', value, isTemplate: false, at };
}

function condition(expression: Expression, at: number): Condition {
  return { kind: 'condition', expression, at };
}

function element(resolved: Resolved): JsonConstant {
  if (resolved.kind === 'constant' && !resolved.isTemplate) return resolved.value;
  throw fault('the elements of a list must be constants', resolved.at);
}

function resolveUnary({ operator, of, at }: Extract<Syntax, { kind: 'unary' }>, scope: Scope): Resolved {
  // 2^63 is no Int64, but its negative is one.
  if (operator === '-' && of.kind === 'integer') return constant(int64(-of.value, at), at);
  const resolved = resolve(of, scope);
  if (operator === 'exists') return condition(exists(resolved), at);
  if (resolved.kind === 'constant') {
    if (resolved.isTemplate) throw fault(`'${operator}' cannot be applied to a template variable`, at);
    return constant(foldUnary(operator, resolved.value, at), at);
  }
  if (operator === 'not') {
    if (resolved.kind === 'condition') return condition(negated(resolved.expression), at);
    throw fault("'!' op can only be applied on boolean expression; it binds tighter than a comparison", at);
  }
  if (operator === '+' && resolved.kind === 'operand') return resolved;
  if (operator === '~' && resolved.kind === 'operand') throw notYet('bitwise operators on fields (~)');
  throw fault(`'${operator}' can only be applied to constants`, at);
}

function negated(of: Expression): Expression {
  return of.kind === 'always' ? { kind: 'always', value: !of.value } : { kind: 'not', of };
}

function resolveBinary(syntax: BinarySyntax, scope: Scope): Resolved {
  const { operator, at } = syntax;
  const left = resolve(syntax.left, scope);
  const right = resolve(syntax.right, scope);
  switch (operator) {
    case 'in':
      return condition(isIn(left, right), at);
    case 'not in':
      return condition({ kind: 'not', of: isIn(left, right) }, at);
    case 'like':
      return condition(like(left, right), at);
    case '=~':
    case '!~':
      throw notYet('regular expressions (=~, !~)');
    default:
      break;
  }
  if (left.kind === 'constant' && right.kind === 'constant') {
    if (left.isTemplate || right.isTemplate) throw fault('a template variable needs a field beside it', at);
    return constant(foldBinary(operator, left.value, right.value, at), at);
  }
  if (isComparison(operator)) return condition(compare(operator, left, right, at), at);
  if (left.kind === 'condition' || right.kind === 'condition') {
    throw fault(`'${operator}' cannot be applied to a condition`, at);
  }
  if (isArithmetic(operator)) {
    if (left.kind === 'constant' && right.kind === 'operand') return resolveArithmetic(operator, right, left, true);
    if (right.kind === 'constant' && left.kind === 'operand') return resolveArithmetic(operator, left, right, false);
    throw fault('arithmetic is between one field and one constant', at);
  }
  if (operator === '**') throw fault("'**' can only be applied to constants", at);
  throw bitwise(operator, left, right);
}

/** What is wrong with a bitwise operation, or that it is not done yet. */
function bitwise(operator: string, left: ConstantValue | TypedOperand, right: ConstantValue | TypedOperand): Error {
  for (const side of [left, right]) {
    const isWhole =
      side.kind === 'constant' ? typeof side.value === 'bigint' : isInteger(side.type) || side.type === 'JSON';
    if (!isWhole)
      return fault(`'${operator}' can only be applied on integers; it binds looser than a comparison`, side.at);
  }
  return notYet(`bitwise operators on fields (${operator})`);
}

/** Flattens, and drops what is always so. */
function joined(kind: 'and' | 'or', parts: readonly Expression[]): Expression {
  const decisive = kind === 'or';
  const of: Expression[] = [];
  for (const part of parts) {
    if (part.kind === 'always') {
      if (part.value === decisive) return part;
    } else if (part.kind === kind) {
      for (const inner of part.of) of.push(inner);
    } else {
      of.push(part);
    }
  }
  const [only] = of;
  if (only === undefined) return { kind: 'always', value: !decisive };
  return of.length === 1 ? only : { kind, of };
}
