import { ElanusError } from './error.ts';

/**
 * States what must hold. A failure is a bug in Elanus, never the caller's mistake, and the check stays on in
 * production: a database that is unsure stops.
 */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new ElanusError('internal', `Assertion failed: ${claim}. This is a bug in Elanus.`);
}

/** Ends an exhaustive `switch`: the type checker refuses it while a case is missing. */
export function unreachable(value: never): never {
  throw new ElanusError('internal', `Unexpected value ${String(value)}. This is a bug in Elanus.`);
}
