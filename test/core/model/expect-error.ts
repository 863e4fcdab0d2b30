import { expect } from 'vitest';
import { ElanusError } from '../../../core/base/error.ts';

/** Runs what must fail, and gives its error after checking that it is ours and not an internal one. */
export function errorOf(run: () => unknown): ElanusError {
  try {
    run();
  } catch (error) {
    expect(error, String((error as Error).stack)).toBeInstanceOf(ElanusError);
    expect((error as ElanusError).code, String(error)).not.toBe('internal');
    return error as ElanusError;
  }
  throw new Error('Nothing was refused.');
}

/** Whatever `run` does, it gives a value or refuses with an error of ours. */
export function neverBreaks(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error, String((error as Error).stack)).toBeInstanceOf(ElanusError);
    expect((error as ElanusError).code, String(error)).not.toBe('internal');
  }
}
