import { ElanusError, toPlainError } from '../base/error.ts';
import { LOG_ENTRY_BYTES_MAX } from '../model/limits.ts';
import type { Position } from './log.ts';

/**
 * The errors that every log gives, so that all refuse alike. For an append, `details.outcome` says what is known of the
 * entry: `not-written` (it is not in the log and never will be) or `unknown` (the next owner decides).
 */

/** What is known of an entry whose append was rejected. */
export type AppendOutcome = 'not-written' | 'unknown';

/** Refuses what is not an entry: 1 to `LOG_ENTRY_BYTES_MAX` bytes. */
export function checkEntry(channel: string, bytes: Uint8Array): void {
  const size = bytes.byteLength;
  if (size >= 1 && size <= LOG_ENTRY_BYTES_MAX) return;
  const message = `A log entry has 1 to ${LOG_ENTRY_BYTES_MAX} bytes, and this one for channel ${channel} has ${size}.`;
  throw new ElanusError('invalid', message, { details: { channel, size, sizeMax: LOG_ENTRY_BYTES_MAX } });
}

/** A newer term exists; nothing of this call is in the log. */
export function fencedError(channel: string, term: number, newer?: number): ElanusError {
  const by = newer === undefined ? 'a newer owner' : `an owner with term ${newer}`;
  return new ElanusError(
    'fenced',
    `The log of channel ${channel} has ${by} besides this one with term ${term}. Stop.`,
    {
      details: { channel, term, outcome: 'not-written' satisfies AppendOutcome },
    },
  );
}

/** The log takes no more entries of this owner; this one is not in it. */
export function closedError(channel: string, cause?: unknown): ElanusError {
  return new ElanusError('closed', `The log of channel ${channel} is closed. Open it again with a greater term.`, {
    details: { channel, outcome: 'not-written' satisfies AppendOutcome },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The store is full; nothing of the entry is in the log, which takes others when there is room. */
export function fullError(channel: string, cause: unknown): ElanusError {
  return new ElanusError(
    'quota',
    `The store is full: nothing was written to the log of channel ${channel}. Free space.`,
    {
      details: { channel, outcome: 'not-written' satisfies AppendOutcome },
      cause,
    },
  );
}

/** Whether the entry is in the log is unknown: the next owner's replay decides. */
export function unknownError(channel: string, position: Position, cause?: unknown): ElanusError {
  const message = `Whether entry ${position.index} of term ${position.term} is in the log of channel ${channel} is unknown.`;
  return new ElanusError('unavailable', message, {
    details: { channel, term: position.term, index: position.index, outcome: 'unknown' satisfies AppendOutcome },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The log has forgotten the place from which it should be read. */
export function truncatedError(channel: string, from: Position, truncatedTo: Position): ElanusError {
  const message =
    `The log of channel ${channel} begins at term ${truncatedTo.term}, index ${truncatedTo.index}; it cannot be read ` +
    `from term ${from.term}, index ${from.index}. Load the manifest again.`;
  return new ElanusError('stale', message, { details: { channel, reason: 'truncated' } });
}

/** Waits for what comes before an append. If it rejects, its error says that nothing of the append was written. */
export async function beforeAppend<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    const { code, message, milvusCode, details } = toPlainError(error);
    throw new ElanusError(code, message, {
      milvusCode,
      details: { ...details, outcome: 'not-written' satisfies AppendOutcome },
      cause: error,
    });
  }
}
