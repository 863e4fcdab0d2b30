import { LOG_APPENDS_IN_FLIGHT_MAX } from '../model/limits.ts';
import { FRAME_HEADER_BYTES, type FrameHeader } from './frame.ts';
import { comparePositions, type Position } from './log.ts';
import type { LogRoot } from './log-objects.ts';

/**
 * The decisions of the log's protocol, each a small function, so that each can be read with its reason, and so that the
 * simulation can show what breaks without it. `LOG_RULES` are the rules; nothing else may be used outside of tests.
 */
export interface LogRules {
  /**
   * A log opens only with a term above the root's. Otherwise an owner that was stalled between its claim and its opening
   * fences its own successor, and later terms would lie before earlier ones.
   */
  readonly mayOpen: (rootTerm: number, term: number) => boolean;
  /**
   * A term ends by a fence in its next slot: only then does its owner, who may merely have been stalled, find the slot
   * taken. `putFence` resolves to the number of frames below the fence, or to undefined if the root is old.
   */
  readonly endTerm: (tail: number, putFence: () => Promise<number | undefined>) => Promise<number | undefined>;
  /**
   * How many slots below a candidate for the tail are looked at again. Several appends are in flight at a time, so an
   * earlier one may be missing below a later one that has landed: the log ends at the first empty slot.
   */
  readonly tailLookBack: number;
  /**
   * Slot i + 4 is used only after slot i was *acknowledged*. If it only counted requests without an answer, one stalled
   * request could lie any number of slots below the tail, where no look back finds it.
   */
  readonly maySend: (window: { readonly unacknowledged: number; readonly unanswered: number }) => boolean;
  /**
   * Which of the unacknowledged appends, oldest first, may be acknowledged next, given which have landed, or -1: only
   * the oldest. A later owner's replay stops at the first gap.
   */
  readonly nextAcknowledged: (hasLanded: readonly boolean[]) => number;
  /**
   * Whether the frame that was found in a slot is the one that was sent there. "It exists already" is no success: a
   * rival's fence exists already, too.
   */
  readonly isOwnFrame: (found: FrameHeader | undefined, nonce: string) => boolean;
  /**
   * What an owner that finds a fence in its slot knows (CHANNEL.md R9). While the root has its own term, or lists it with
   * a count at or below the slot, the frame is certainly not in the log. Else it may be: its frame may have landed, been
   * counted, folded into segments and truncated, and a third claimant with an old root may have fenced the empty slot.
   */
  readonly hasFailedForCertain: (root: LogRoot, slot: Position) => boolean;
  /**
   * Where a read begins, or undefined if it is refused: nothing below `truncatedTo` is read, and a read never skips to
   * where it may. A reader with an old checkpoint would miss what was folded since, without a sign.
   */
  readonly readStart: (from: Position, truncatedTo: Position) => Position | undefined;
  /**
   * Whether the place at which a read found nothing more is the log's tail, by the root as it is afterwards. If the
   * truncation has passed it, the frames were deleted under the reader's hands.
   */
  readonly isTail: (end: Position, truncatedToAfter: Position) => boolean;
  /** Whether an owner that has read its log still is the owner, by the root as it is afterwards. */
  readonly isOwner: (rootAfter: LogRoot, term: number) => boolean;
  /**
   * What a fence means that lies below the published number of frames of its term: the slot was truncated, then fenced
   * by a claimant with an old root. The root that the reader has is old: `reload`. It does not end the term there.
   */
  readonly fenceBelowCount: 'reload' | 'end';
  /**
   * The root gives frames up before they are deleted, and if its replacement fails nothing is deleted: a newer owner may
   * be replaying them.
   */
  readonly truncate: (writeRoot: () => Promise<void>, deleteFrames: () => Promise<void>) => Promise<void>;
  /** The end (exclusive) of what truncation deletes of a sealed term with `count` frames: its fence, at `count`, stays. */
  readonly deletableEnd: (count: number) => number;
  /**
   * Whether garbage collection keeps what lies below the truncation point: a fence, which is a header alone, stays for
   * ever. Without it the slot is free, and an owner that was stalled long enough writes there and acknowledges.
   */
  readonly isKept: (frameBytes: number) => boolean;
}

/** The rules of the protocol: DESIGN §4. */
export const LOG_RULES: LogRules = {
  mayOpen: (rootTerm, term) => term > rootTerm,
  endTerm: (_tail, putFence) => putFence(),
  tailLookBack: LOG_APPENDS_IN_FLIGHT_MAX,
  maySend: ({ unacknowledged }) => unacknowledged < LOG_APPENDS_IN_FLIGHT_MAX,
  nextAcknowledged: (hasLanded) => (hasLanded[0] === true ? 0 : -1),
  isOwnFrame: (found, nonce) => found?.nonce === nonce,
  hasFailedForCertain: (root, slot) => {
    if (root.term === slot.term) return true;
    const count = root.sealed.find(([term]) => term === slot.term)?.[1];
    return count !== undefined && slot.index >= count;
  },
  readStart: (from, truncatedTo) => (comparePositions(from, truncatedTo) >= 0 ? from : undefined),
  isTail: (end, truncatedToAfter) => comparePositions(end, truncatedToAfter) >= 0,
  isOwner: (rootAfter, term) => rootAfter.term === term,
  fenceBelowCount: 'reload',
  truncate: async (writeRoot, deleteFrames) => {
    await writeRoot();
    await deleteFrames();
  },
  deletableEnd: (count) => count,
  isKept: (frameBytes) => frameBytes <= FRAME_HEADER_BYTES,
};
