import { ElanusError } from '../base/error.ts';
import { LOG_APPENDS_IN_FLIGHT_MAX } from '../model/limits.ts';
import { comparePositions, type LogEntry, type Position } from './log.ts';
import type { LogObjects, LogRoot } from './log-objects.ts';

/** Frames read at the same time: R2 lets six requests wait. */
const READS_IN_FLIGHT = 4;

/**
 * Reads a log from a position to its tail as it is found now. Frames of sealed terms must be there; the last term ends
 * at its first empty slot or at a fence. Sequential reading needs no look at later slots: an acknowledged frame has no
 * empty slot before it, because appends are acknowledged in order.
 */
export async function* readLog(objects: LogObjects, from: Position): AsyncGenerator<LogEntry> {
  const { root } = await objects.readRoot();
  refuseTruncated(root, from, objects.channel);
  for (const [term, count] of root.sealed) {
    if (term < from.term) continue;
    const start = term === from.term ? from.index : firstIndex(root, term);
    yield* readSealed(objects, term, start, count);
  }
  if (root.term === 0 || root.term < from.term) return;
  const start = root.term === from.term ? from.index : firstIndex(root, root.term);
  yield* readOpen(objects, root.term, start);
}

/** The first index of a term that is not truncated. */
export function firstIndex(root: LogRoot, term: number): number {
  return root.truncatedTo.term === term ? root.truncatedTo.index : 0;
}

export function refuseTruncated(root: LogRoot, from: Position, channel: string): void {
  if (comparePositions(from, root.truncatedTo) >= 0) return;
  throw new ElanusError('stale', `The log of ${channel} no longer has ${from.term}/${from.index}: it was truncated.`, {
    details: { channel, reason: 'truncated' },
  });
}

async function* readSealed(objects: LogObjects, term: number, start: number, count: number): AsyncGenerator<LogEntry> {
  for (let at = start; at < count; at += READS_IN_FLIGHT) {
    const indexes = Array.from({ length: Math.min(READS_IN_FLIGHT, count - at) }, (_, ahead) => at + ahead);
    const frames = await Promise.all(indexes.map((index) => objects.readFrame({ term, index })));
    for (const [ahead, frame] of frames.entries()) {
      const position = { term, index: at + ahead };
      if (frame?.header.kind === 'data') {
        yield { position, bytes: frame.payload };
        continue;
      }
      // A count was published for this slot: it was truncated since the root was read, by a newer owner.
      refuseTruncated((await objects.readRoot()).root, position, objects.channel);
      throw new ElanusError('corrupt', `The log of ${objects.channel} has lost its frame ${term}/${position.index}.`, {
        details: { key: objects.key(position) },
      });
    }
  }
}

async function* readOpen(objects: LogObjects, term: number, start: number): AsyncGenerator<LogEntry> {
  for (let at = start; ; at += READS_IN_FLIGHT) {
    const indexes = Array.from({ length: READS_IN_FLIGHT }, (_, ahead) => at + ahead);
    const frames = await Promise.all(indexes.map((index) => objects.readFrame({ term, index })));
    for (const [ahead, frame] of frames.entries()) {
      if (frame === undefined || frame.header.kind === 'fence') return;
      yield { position: { term, index: at + ahead }, bytes: frame.payload };
    }
  }
}

/**
 * The first empty slot of a term, or its fence: where a new owner puts its own fence.
 *
 * It gallops to an empty slot and searches back to one whose predecessor is taken; then it looks at the last slots
 * below, one after another. Up to four appends are under way at once, so a later one may lie there while an earlier one
 * is missing: everything acknowledged lies below the *first* empty slot, and a fence ends the log wherever it stands.
 */
export async function findTail(objects: LogObjects, term: number, start: number): Promise<number> {
  const isTaken = async (index: number): Promise<boolean> => (await objects.readHeader({ term, index })) !== undefined;
  if (!(await isTaken(start))) return start;
  let taken = start;
  let step = 1;
  while (await isTaken(start + step)) {
    taken = start + step;
    step *= 2;
  }
  let empty = start + step;
  while (empty - taken > 1) {
    const middle = taken + Math.floor((empty - taken) / 2);
    if (await isTaken(middle)) taken = middle;
    else empty = middle;
  }
  for (let index = Math.max(start, empty - LOG_APPENDS_IN_FLIGHT_MAX); index < empty; index++) {
    const header = await objects.readHeader({ term, index });
    if (header === undefined || header.kind === 'fence') return index;
  }
  return empty;
}
