import { codeOf, ElanusError } from '../base/error.ts';
import { encodeFence, type FrameHeader } from './frame.ts';
import type { Position } from './log.ts';
import { fencedError } from './log-errors.ts';
import type { LogObjects, LogRoot, StoredRoot } from './log-objects.ts';
import { firstIndex } from './log-read.ts';
import type { LogRules } from './log-rules.ts';

/** How often an opening begins again because others open or truncate at the same time. */
const OPEN_ATTEMPTS_MAX = 8;
/** Slots that an opener loses to the owner before it puts a fence ahead. */
const RACES_LOST_MAX = 8;

/**
 * Opens a log with `term`: fences the term before it, then replaces the root. Returns the root that it wrote.
 *
 * Only the root's own term can be open: the opening of each term has sealed the one before. The root is read, the fence
 * is put, the root is replaced; if it has changed meanwhile, everything begins again from what it says now. So a fence
 * that was put by an old root, perhaps into a slot that has been truncated, is never counted.
 */
export async function openTerm(objects: LogObjects, rules: LogRules, term: number): Promise<StoredRoot> {
  if (!Number.isSafeInteger(term) || term < 1) {
    throw new ElanusError('invalid', `A log opens with a term from 1 on, not ${term}.`);
  }
  for (let attempt = 0; attempt < OPEN_ATTEMPTS_MAX; attempt++) {
    const { root, version } = await objects.readRoot();
    if (!rules.mayOpen(root.term, term)) throw fencedError(objects.channel, term, root.term);
    try {
      let sealed = root.sealed;
      if (version !== undefined) {
        const count = await endTerm(objects, rules, root, term);
        // The slot was taken and is free again: somebody truncates past it, so the root has changed.
        if (count === undefined) continue;
        sealed = [...root.sealed, [root.term, count]];
      }
      return await objects.writeRoot({ term, sealed, truncatedTo: root.truncatedTo }, version);
    } catch (error) {
      // Another has opened, or the owner has truncated, or many try at once and the store asks for fewer writes of its
      // root: the root says which, and whether this term may still open.
      const code = codeOf(error);
      if (code !== 'conflict' && code !== 'overloaded') throw error;
    }
  }
  throw new ElanusError('unavailable', `The log of channel ${objects.channel} is contended. Open it again.`, {
    details: { channel: objects.channel },
  });
}

/** Ends the root's term. Returns the number of its frames, or undefined if the root is old. */
async function endTerm(
  objects: LogObjects,
  rules: LogRules,
  root: LogRoot,
  fencingTerm: number,
): Promise<number | undefined> {
  const tail = await findTail(objects, rules, root.term, firstIndex(root, root.term));
  return rules.endTerm(tail, () => putFence(objects, rules, { term: root.term, index: tail }, fencingTerm));
}

/** Puts a fence into the first slot from `tail` on that is free, or adopts the one that stands there. */
async function putFence(
  objects: LogObjects,
  rules: LogRules,
  { term, index: tail }: Position,
  fencingTerm: number,
): Promise<number | undefined> {
  let index = tail;
  for (let lost = 0; ; lost++) {
    const found = await fenceSlot(objects, { term, index }, fencingTerm);
    if (found === undefined) return undefined;
    if (found === 'fence') return index;
    if (lost === RACES_LOST_MAX) await putBarrier(objects, { term, index }, fencingTerm);
    index = lost < RACES_LOST_MAX ? index + 1 : await findTail(objects, rules, term, index + 1);
  }
}

/**
 * Puts a fence ahead of an owner who appends as fast as the opener tries, and who would win every slot for ever. The
 * owner cannot pass it, for appends are acknowledged in order. It decides nothing else: the log of a term ends at its
 * first free slot or its first fence, whichever comes first.
 */
async function putBarrier(objects: LogObjects, { term, index }: Position, fencingTerm: number): Promise<void> {
  for (let ahead = 4 * RACES_LOST_MAX; ; ahead *= 2) {
    const found = await fenceSlot(objects, { term, index: index + ahead }, fencingTerm);
    if (found !== 'data') return;
  }
}

/** Tries to put a fence into a slot; returns what lies there then, or undefined if it was taken and is free again. */
async function fenceSlot(
  objects: LogObjects,
  position: Position,
  fencingTerm: number,
): Promise<FrameHeader['kind'] | undefined> {
  try {
    await objects.createFrame(position, encodeFence(position, fencingTerm, objects.host.random));
    return 'fence';
  } catch (error) {
    if (codeOf(error) !== 'conflict') throw error;
  }
  // The fence of an opener that crashed, or was slower, stands as well.
  return (await objects.readHeader(position))?.kind;
}

/**
 * The first slot of a term, from `start` on, in which no data lies: where its log ends, and where a fence goes.
 *
 * It gallops to a slot without data and searches back to one whose predecessor has data. Several appends are in flight
 * at a time, so an earlier slot may still be empty, or hold a fence: it looks once more at the slots just below.
 */
export async function findTail(objects: LogObjects, rules: LogRules, term: number, start: number): Promise<number> {
  const hasData = async (index: number): Promise<boolean> =>
    (await objects.readHeader({ term, index }))?.kind === 'data';
  // Everything from `start` below `known` has data, but for gaps in the window; `free` has none.
  let known = start;
  let free = start;
  for (let step = 1; await hasData(free); step *= 2) {
    known = free + 1;
    free += step;
  }
  while (known < free) {
    const middle = known + ((free - known) >> 1);
    if (await hasData(middle)) known = middle + 1;
    else free = middle;
  }
  const window = Array.from({ length: Math.min(rules.tailLookBack, free - start) }, (_, back) => free - 1 - back);
  const hasGap = await Promise.all(window.map(async (index) => !(await hasData(index))));
  return Math.min(free, ...window.filter((_, at) => hasGap[at]));
}
