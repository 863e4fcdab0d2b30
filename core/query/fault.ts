import { codeOf, ElanusError } from '../base/error.ts';

/** Of a text that is quoted in an error, so that the error stays smaller than what it complains about. */
const QUOTED_CHARACTERS_MAX = 1024;

/** Something wrong with a filter, at an offset of its text if one is known. `parseFilter` says in which text. */
export function fault(what: string, at?: number): ElanusError {
  return new ElanusError('invalid', what, at === undefined ? {} : { details: { offset: at } });
}

/** The error for what Milvus's language has and ours has not yet. */
export function notYet(feature: string): ElanusError {
  return new ElanusError('unsupported', `Filters do not support ${feature} yet.`, { details: { feature } });
}

/** Runs a step of parsing; its faults come out in Milvus's form: the text, the line and the column. */
export function inText<Result>(text: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (codeOf(error) !== 'invalid') throw error;
    const { message, details } = error as ElanusError;
    const quoted = text.length > QUOTED_CHARACTERS_MAX ? `${text.slice(0, QUOTED_CHARACTERS_MAX)}…` : text;
    const offset = details['offset'];
    if (typeof offset !== 'number') {
      throw new ElanusError('invalid', `cannot parse expression: ${quoted}, error: ${message}`, { cause: error });
    }
    const before = text.slice(0, offset).split('\n');
    const line = before.length;
    const column = before.at(-1)?.length ?? 0;
    throw new ElanusError('invalid', `cannot parse expression: ${quoted}, error: line ${line}:${column} ${message}`, {
      details: { offset, line, column },
      cause: error,
    });
  }
}
