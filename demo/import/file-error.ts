import { ElanusError } from '../../core/base/error.ts';

/**
 * What is wrong with a file that a person brought, in a sentence for that person: code `invalid`, and in `details` the
 * `line`, counted from 1, where it is known.
 */
export function fileError(message: string, line?: number): ElanusError {
  if (line === undefined) return new ElanusError('invalid', message);
  return new ElanusError('invalid', `Line ${line.toLocaleString('en')}: ${message}`, { details: { line } });
}
