import { contains, textOperand } from './conditions.ts';
import type { Expression } from './expression.ts';
import { fault, notYet } from './fault.ts';
import type { TypedOperand } from './operands.ts';
import type { Resolved } from './resolve.ts';

/** Functions of Milvus's language that are not done yet; any other name is unknown. */
const LATER: ReadonlySet<string> = new Set([
  ...['text_match', 'text_match_fuzzy', 'phrase_match', 'random_sample', 'element_filter', 'match_all', 'match_any'],
  ...['match_least', 'match_most', 'match_exact', 'st_equals', 'st_touches', 'st_overlaps', 'st_crosses'],
  ...['st_contains', 'st_intersects', 'st_within', 'st_dwithin', 'st_isvalid', 'bloom_match', 'membership_match'],
]);

/** What a call means: a condition, or the length of an array. Names are all-lower or all-upper. */
export function resolveCall(called: string, args: readonly Resolved[], at: number): Expression | TypedOperand {
  const name = called === called.toUpperCase() ? called.toLowerCase() : called;
  if (LATER.has(name)) throw notYet(`the function ${name}`);
  const [first, second] = args;
  const one = args.length === 1 ? first : undefined;
  switch (name) {
    case 'json_contains':
    case 'array_contains':
    case 'json_contains_any':
    case 'array_contains_any':
    case 'json_contains_all':
    case 'array_contains_all': {
      if (first === undefined || second === undefined || args.length !== 2) throw arity(name, 2, at);
      return contains(name.endsWith('_any') ? 'any' : name.endsWith('_all') ? 'all' : 'one', first, second);
    }
    case 'array_length':
      if (one === undefined) throw arity(name, 1, at);
      return length(one);
    case 'empty':
      if (one === undefined) throw arity(name, 1, at);
      return { kind: 'compare', operator: '==', operand: textOperand(one, name).operand, constant: '' };
    case 'starts_with': {
      if (first === undefined || second === undefined || args.length !== 2) throw arity(name, 2, at);
      if (second.kind !== 'constant' || typeof second.value !== 'string') {
        throw fault('starts_with takes a string', second.at);
      }
      const prefix = second.value.replaceAll(/[\\%_]/g, (letter) => `\\${letter}`);
      return { kind: 'like', operand: textOperand(first, name).operand, pattern: `${prefix}%` };
    }
    default:
      throw fault(`function ${called} not found`, at);
  }
}

function arity(name: string, count: number, at: number): Error {
  return fault(`${name} takes ${count} argument${count === 1 ? '' : 's'}`, at);
}

function length(of: Resolved): TypedOperand {
  if (of.kind !== 'operand' || (of.operand.kind !== 'array' && of.operand.kind !== 'json')) {
    throw fault('array_length operation are only supported on json or array fields now', of.at);
  }
  return { kind: 'operand', operand: { kind: 'length', of: of.operand }, type: 'Int64', at: of.at };
}
