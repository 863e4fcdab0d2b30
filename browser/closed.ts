import { ElanusError } from '../core/base/error.ts';

/** The error of calls after the end: after `close`, or with the reason why it ended by itself. */
export function closedError(reason?: string): ElanusError {
  const message =
    reason === undefined
      ? 'The database is closed; open it again.'
      : `The database is closed: ${reason}. Open it again.`;
  return new ElanusError('closed', message);
}

/** The error when data in memory have ended with the worker that held them. */
export function dataDiedError(holder: 'engine' | 'worker'): ElanusError {
  return new ElanusError('closed', `The ${holder} has died, and the data with it: it lay in memory alone.`);
}
