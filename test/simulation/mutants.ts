import { comparePositions } from '../../core/wal/log.ts';
import { LOG_RULES, type LogRules } from '../../core/wal/log-rules.ts';

/** Every rule of the log, each with the change that breaks it: the lists of mutations of WAL.md and CHANNEL.md. */
export const MUTANTS = {
  'no fence is put into the old term': { endTerm: (tail) => Promise.resolve(tail) },
  '"already exists" is taken for success': { isOwnFrame: () => true },
  'appends are acknowledged out of order': { nextAcknowledged: (hasLanded) => hasLanded.indexOf(true) },
  'the tail is taken without a look at the last slots': { tailLookBack: 0 },
  "the root's term is not checked at opening": { mayOpen: (rootTerm, term) => term !== rootTerm },
  'the window counts unanswered appends instead of unacknowledged ones': {
    maySend: ({ unanswered }) => unanswered < 4,
  },
  'frames are deleted before the root is written': {
    truncate: async (writeRoot, deleteFrames) => {
      await deleteFrames();
      await writeRoot();
    },
  },
  'a fence is truncated with the frames below it': { deletableEnd: (count) => count + 1 },
  'garbage collection deletes fences': { isKept: () => false },
  'a fence below the published count is trusted': { fenceBelowCount: 'end' },
  'a read below the truncation point skips to it': {
    readStart: (from, truncatedTo) => (comparePositions(from, truncatedTo) < 0 ? truncatedTo : from),
  },
  'what lies below the truncation point is read': { readStart: (from) => from, isTail: () => true },
  'a reader does not look at the root again': { isTail: () => true },
  'an owner does not look whether it still is one': { isOwner: () => true },
  'a fence in the slot is taken for certain failure': { hasFailedForCertain: () => true },
} satisfies Readonly<Record<string, Partial<LogRules>>>;

export type MutantName = keyof typeof MUTANTS;

/** The rules with one of them broken. */
export function mutant(name: MutantName): LogRules {
  return { ...LOG_RULES, ...MUTANTS[name] };
}
