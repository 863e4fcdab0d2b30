import type { CollectionSchema } from '../model/schema.ts';
import { foldConstant, isComparison, isList, kindOf, meaningless, showConstant, type TemplateValues } from './constants.ts';
import type { CompareOperator, Constant, Expression, JsonConstant } from './expression.ts';
import { compileLike } from './like.ts';
import { isInteger, isNumeric, notYet, type OperandType, resolveOperand, resolvePath, type Scope, type TypedOperand } from './operands.ts';
import { parseSyntax } from './parser.ts';
import type { Syntax } from './syntax.ts';

const FLIPPED: Readonly<Record<CompareOperator, CompareOperator>> = {
  '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=',
};
/** Functions of Milvus's language that are not done yet; any other name is unknown. */
const FUNCTIONS_LATER: ReadonlySet<string> = new Set([
  'text_match', 'text_match_fuzzy', 'phrase_match', 'random_sample', 'element_filter', 'match_all', 'match_any',
  'match_least', 'match_most', 'match_exact', 'st_equals', 'st_touches', 'st_overlaps', 'st_crosses', 'st_contains',
  'st_intersects', 'st_within', 'st_dwithin', 'st_isvalid', 'bloom_match', 'membership_match',
]);

/**
 * Parses a filter of Milvus's language and checks it against a schema.
 *
 * @param templates the request's `exprParams`, for `{name}` in the text
 * @throws `invalid` (Milvus 1100) for what is no filter of this schema, `unsupported` for what is not done yet
 */
export function parseFilter(text: string, schema: CollectionSchema, templates: TemplateValues = {}): Expression {
  return condition(parseSyntax(text), { schema, templates });
}

function condition(syntax: Syntax, scope: Scope): Expression {
  const constant = foldConstant(syntax, scope.templates);
  if (typeof constant === 'boolean') return { kind: 'always', value: constant };
  if (constant !== undefined) throw notBoolean(showConstant(constant));
  switch (syntax.kind) {
    case 'unary':
      return unaryCondition(syntax, scope);
    case 'binary':
      return binaryCondition(syntax, scope);
    case 'range':
      return rangeCondition(syntax, scope);
    case 'is-null':
      return isNull(syntax, scope);
    case 'call':
      return callCondition(syntax, scope);
    default:
      throw notBoolean(syntax.kind === 'path' ? syntax.name : syntax.kind);
  }
}

function notBoolean(what: string): Error {
  return meaningless(`predicate is not a boolean expression: ${what}`);
}

function unaryCondition(syntax: Extract<Syntax, { kind: 'unary' }>, scope: Scope): Expression {
  if (syntax.operator === 'not') return negated(condition(syntax.of, scope));
  if (syntax.operator !== 'exists') throw notBoolean(`${syntax.operator}…`);
  if (syntax.of.kind === 'path') {
    const { operand } = resolvePath(syntax.of, scope);
    if (operand.kind === 'json' && operand.path.length > 0) return { kind: 'not', of: { kind: 'is-null', operand } };
  }
  throw meaningless('exists operations are only supported on json fields with a path');
}

function negated(of: Expression): Expression {
  return of.kind === 'always' ? { kind: 'always', value: !of.value } : { kind: 'not', of };
}

function binaryCondition(syntax: Extract<Syntax, { kind: 'binary' }>, scope: Scope): Expression {
  const { operator } = syntax;
  if (operator === 'and' || operator === 'or') {
    return joined(operator, [condition(syntax.left, scope), condition(syntax.right, scope)]);
  }
  if (operator === 'in') return inCondition(syntax, scope);
  if (operator === 'not in') return { kind: 'not', of: inCondition(syntax, scope) };
  if (operator === 'like') return likeCondition(syntax, scope);
  if (operator === '=~' || operator === '!~') throw notYet('regular expressions (=~, !~)');
  if (isComparison(operator)) return compareCondition(operator, syntax, scope);
  if (resolveOperand(syntax, scope) !== undefined) throw notBoolean(`an arithmetic value`);
  throw meaningless(`the operator ${operator} is not supported here`);
}

/** Flattens, and drops what is always so. */
function joined(kind: 'and' | 'or', parts: readonly Expression[]): Expression {
  const decisive = kind === 'or';
  const flat = parts.flatMap((part) => (part.kind === kind ? part.of : [part]));
  if (flat.some((part) => part.kind === 'always' && part.value === decisive)) return { kind: 'always', value: decisive };
  const of = flat.filter((part) => part.kind !== 'always');
  const [only] = of;
  if (only === undefined) return { kind: 'always', value: !decisive };
  return of.length === 1 ? only : { kind, of };
}

function compareCondition(
  operator: CompareOperator,
  syntax: { readonly left: Syntax; readonly right: Syntax },
  scope: Scope,
): Expression {
  const leftConstant = foldConstant(syntax.left, scope.templates);
  const rightConstant = foldConstant(syntax.right, scope.templates);
  if (leftConstant !== undefined) {
    if (syntax.left.kind === 'variable' && rightConstant !== undefined) throw meaningless('a template needs a field beside it');
    return compareConstant(FLIPPED[operator], syntax.right, leftConstant, scope);
  }
  if (rightConstant !== undefined) return compareConstant(operator, syntax.left, rightConstant, scope);
  const left = operandOf(syntax.left, scope);
  const right = operandOf(syntax.right, scope);
  return compareColumns(operator, left, right);
}

function compareColumns(operator: CompareOperator, left: TypedOperand, right: TypedOperand): Expression {
  const plain = left.operand.kind === 'column' && right.operand.kind === 'column';
  const numbers = isNumeric(left.type) && isNumeric(right.type);
  const texts = left.type === 'VarChar' && right.type === 'VarChar';
  if (!plain || !(numbers || texts)) {
    throw meaningless(`comparisons between ${left.type} and ${right.type} fields are not supported`);
  }
  return { kind: 'compare-columns', operator, left: left.operand, right: right.operand };
}

function compareConstant(operator: CompareOperator, syntax: Syntax, constant: JsonConstant, scope: Scope): Expression {
  if (syntax.kind === 'path') {
    const { operand, type } = resolvePath(syntax, scope);
    if (operand.kind === 'array' || isList(constant)) {
      if (!isList(constant) || (operand.kind !== 'array' && operand.kind !== 'json') || !['==', '!='].includes(operator)) {
        throw meaningless(`${syntax.name} ${operator} ${showConstant(constant)} cannot be compared`);
      }
      const list = operand.kind === 'array' ? constant.map((item) => cast(scalar(item), type)) : constant;
      const equals: Expression = { kind: 'equals-list', operand, list };
      return operator === '==' ? equals : { kind: 'not', of: equals };
    }
  }
  const { operand, type } = operandOf(syntax, scope);
  if (operand.kind === 'length' && typeof constant !== 'bigint') throw meaningless('array_length is compared with an integer');
  const value = cast(scalar(constant), type);
  if (typeof value === 'boolean' && operator !== '==' && operator !== '!=') {
    throw meaningless(`comparison operator ${operator} is not supported on bool`);
  }
  return { kind: 'compare', operator, operand, constant: value };
}

function rangeCondition(syntax: Extract<Syntax, { kind: 'range' }>, scope: Scope): Expression {
  const first = foldConstant(syntax.first, scope.templates);
  const second = foldConstant(syntax.second, scope.templates);
  if (first === undefined || second === undefined) throw meaningless('the bounds of a range must be constants');
  const { operand, type } = operandOf(syntax.of, scope);
  if (type === 'Bool') throw meaningless('a range needs numbers or texts');
  const bounds = [cast(scalar(first), type), cast(scalar(second), type)] as const;
  if (bounds.some((bound) => typeof bound === 'boolean') || kindOf(bounds[0]) !== kindOf(bounds[1])) {
    throw meaningless('the bounds of a range must be numbers or texts, both alike');
  }
  return {
    kind: 'and',
    of: [
      { kind: 'compare', operator: FLIPPED[syntax.firstOperator as CompareOperator], operand, constant: bounds[0] },
      { kind: 'compare', operator: syntax.secondOperator as CompareOperator, operand, constant: bounds[1] },
    ],
  };
}

function inCondition(syntax: { readonly left: Syntax; readonly right: Syntax }, scope: Scope): Expression {
  const list = foldConstant(syntax.right, scope.templates);
  if (list === undefined || !isList(list)) throw meaningless("the right of 'in' must be a list");
  const { left } = syntax;
  if (left.kind !== 'path') throw meaningless("the left of 'in' must be a field");
  const { operand, type } = resolvePath(left, scope);
  if (operand.kind === 'array') {
    if (list.length > 0) throw meaningless(`${left.name} is an array; name an element of it`);
    return { kind: 'always', value: false };
  }
  return { kind: 'in', operand, constants: list.map((item) => cast(scalar(item), type)) };
}

function likeCondition(syntax: { readonly left: Syntax; readonly right: Syntax }, scope: Scope): Expression {
  const pattern = foldConstant(syntax.right, scope.templates);
  if (typeof pattern !== 'string') throw meaningless("the pattern of 'like' must be a string");
  const { operand, type } = operandOf(syntax.left, scope);
  if (type !== 'VarChar' && type !== 'JSON') throw meaningless(`like operation on ${type} is not supported`);
  compileLike(pattern);
  return { kind: 'like', operand, pattern };
}

function isNull(syntax: Extract<Syntax, { kind: 'is-null' }>, scope: Scope): Expression {
  if (syntax.of.kind !== 'path') throw meaningless("'is null' belongs to a field or a path");
  const { operand } = resolvePath(syntax.of, scope);
  if (operand.kind === 'element') throw meaningless("'is null' is not supported on array elements");
  const expression: Expression = { kind: 'is-null', operand };
  return syntax.negated ? { kind: 'not', of: expression } : expression;
}

function callCondition(syntax: Extract<Syntax, { kind: 'call' }>, scope: Scope): Expression {
  const name = syntax.name === syntax.name.toUpperCase() ? syntax.name.toLowerCase() : syntax.name;
  const contains = /^(?:json|array)_contains(_all|_any)?$/.exec(name);
  if (contains !== null) return containsCondition(syntax.args, contains[1], scope);
  const [field, prefix] = syntax.args;
  if (name === 'empty' && syntax.args.length === 1) return { ...compareText(field, ''), kind: 'compare' };
  if (name === 'starts_with' && syntax.args.length === 2) {
    const text = prefix === undefined ? undefined : foldConstant(prefix, scope.templates);
    if (typeof text !== 'string') throw meaningless('starts_with takes a text');
    const { operand } = textField(field);
    return { kind: 'like', operand, pattern: `${text.replaceAll(/[\\%_]/g, (letter) => `\\${letter}`)}%` };
  }
  if (FUNCTIONS_LATER.has(name)) throw notYet(`the function ${name}`);
  throw meaningless(`there is no function ${syntax.name} with ${syntax.args.length} arguments`);

  function textField(of: Syntax | undefined): TypedOperand {
    const resolved = of === undefined ? undefined : operandOf(of, scope);
    if (resolved?.type === 'VarChar') return resolved;
    throw meaningless(`${name} needs a VarChar field`);
  }

  function compareText(of: Syntax | undefined, constant: string): Omit<Extract<Expression, { kind: 'compare' }>, 'kind'> {
    return { operator: '==', operand: textField(of).operand, constant };
  }
}

function containsCondition(args: readonly Syntax[], mode: string | undefined, scope: Scope): Expression {
  const [array, wanted] = args;
  if (array?.kind !== 'path' || wanted === undefined || args.length !== 2) {
    throw meaningless('contains takes an array and what it should contain');
  }
  const { operand, type } = resolvePath(array, scope);
  if (operand.kind !== 'array' && operand.kind !== 'json') throw meaningless(`${array.name} is no array`);
  const value = foldConstant(wanted, scope.templates);
  if (value === undefined) throw meaningless('contains needs constants');
  if (mode !== undefined && !isList(value)) throw meaningless(`contains${mode} needs a list`);
  const list = mode !== undefined && isList(value) ? value : [value];
  const values = operand.kind === 'array' ? list.map((item) => cast(scalar(item), type)) : list;
  return { kind: 'contains', mode: mode === '_any' ? 'any' : 'all', operand, values };
}

function operandOf(syntax: Syntax, scope: Scope): TypedOperand {
  const resolved = resolveOperand(syntax, scope);
  if (resolved !== undefined) return resolved;
  throw meaningless('a comparison is between a field and a constant, or between two fields');
}

function scalar(constant: JsonConstant): Constant {
  if (isList(constant)) throw meaningless(`${showConstant(constant)} is a list where a value is needed`);
  return constant;
}

/** The constant as the operand's type has it: an integer fits a float field, a float fits no integer field. */
function cast(constant: Constant, type: OperandType): Constant {
  if (type === 'JSON') return typeof constant === 'bigint' && isSafe(constant) ? Number(constant) : constant;
  if (type === 'Bool' && typeof constant === 'boolean') return constant;
  if (type === 'VarChar' && typeof constant === 'string') return constant;
  if (isInteger(type) && typeof constant === 'bigint') return type === 'Int64' ? constant : Number(constant);
  if ((type === 'Float' || type === 'Double') && kindOf(constant) === 'number') {
    return type === 'Float' ? Math.fround(Number(constant)) : Number(constant);
  }
  throw meaningless(`cannot compare ${showConstant(constant)} with a value of type ${type}`);
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

