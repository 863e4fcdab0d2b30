import { codeOf, ElanusError } from '../../core/base/error.ts';
import type { LinkKind } from '../../core/elanus.ts';
import type { PeerCalls } from '../link/peer-calls.ts';

/** A way from this tab to the engine that answers now. */
export interface EngineLink {
  readonly kind: LinkKind;
  /** The tab whose engine it is. */
  readonly leader: string;
  readonly calls: PeerCalls;
}

/** How a tab reaches the engine, whichever tab has it. */
export interface EngineAccess {
  /**
   * The link to the engine that leads now; waits while there is none. Rejects with what keeps it from opening, with
   * `closed` when this tab is, with `locked` if a tab of another version leads, with `unavailable` at `until`.
   */
  link(until: number): Promise<EngineLink>;
  /** Says that a call waits, until the returned function is called: only then is a silent leader suspected. */
  waits(): () => void;
  /** Lets go of everything; waits for this tab's engine if it has one. */
  close(): Promise<void>;
  /** Deletes the database, for all tabs. */
  destroy(): Promise<void>;
}

const LINK_LOST = 'link-lost';

/** The way to the engine has ended; whether what was asked for is done is unknown. */
export function linkLost(message: string): ElanusError {
  return new ElanusError('unavailable', message, { details: { reason: LINK_LOST } });
}

/** Whether a call may find another engine, or the same one again, if it is repeated. */
export function isPassing(error: unknown): boolean {
  const { details } = error as { details?: { reason?: unknown; outcome?: unknown } };
  switch (codeOf(error)) {
    case 'unavailable':
      // The second: the channel has changed hands before anything was written.
      return details?.reason === LINK_LOST || details?.outcome === 'not-written';
    // An engine that closes because its tab does; or one that was deposed.
    case 'closed':
    case 'fenced':
      return true;
    default:
      return false;
  }
}
