import { invalid, show, unsupported } from './reject.ts';
import type { ConsistencyLevel } from './schema.ts';

const LEVELS: readonly string[] = ['Strong', 'Session', 'Bounded', 'Eventually'] satisfies ConsistencyLevel[];

/** The level that a caller names; `fallback` if the caller names none. Other names reject with `invalid` (1100). */
export function readConsistencyLevel<Fallback>(value: unknown, fallback: Fallback): ConsistencyLevel | Fallback {
  if (value === undefined || value === null || value === '') return fallback;
  if (typeof value === 'string' && LEVELS.includes(value)) return value as ConsistencyLevel;
  if (value === 'Customized') throw unsupported('consistencyLevel Customized', `use one of ${LEVELS.join(', ')}`);
  throw invalid('consistencyLevel can only be [Strong, Session, Bounded, Eventually, Customized], default: Bounded', {
    expected: 'Strong, Session, Bounded, Eventually, Customized',
    actual: show(value),
    details: { field: 'consistencyLevel' },
  });
}
