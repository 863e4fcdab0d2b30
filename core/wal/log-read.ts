import { ElanusError } from '../base/error.ts';
import type { LogEntry, Position } from './log.ts';
import { fencedError, truncatedError } from './log-errors.ts';
import type { LogObjects, LogRoot } from './log-objects.ts';
import type { LogRules } from './log-rules.ts';

/** Frames read at the same time: four of the largest fit an isolate, and R2 lets six requests wait. */
const READS_IN_FLIGHT = 4;

/** What a reader knows of a log before it reads frames. */
export interface LogView {
  readonly root: LogRoot;
  /** The frames of the root's term that its owner has acknowledged; undefined for a reader that has no claim. */
  readonly acknowledged: number | undefined;
}

/**
 * Reads a log from a position to its tail as found now.
 *
 * It reads slot after slot, by name, and never lists. A list is 12 times as dear on R2, comes in pages, and would still
 * be followed by a read of every frame; the names are known, because indexes are contiguous. Reading in order needs no
 * look back either: an acknowledged frame has no empty slot before it, so the first empty slot is the tail.
 *
 * Frames of a sealed term, below its count, must be there. If one is not, or if the root shows at the end that the
 * truncation has passed the place where the log seemed to end, frames were deleted meanwhile: it rejects with `stale`
 * rather than pass over them. An owner that is one no more at the end rejects with `fenced`: the newer one may have
 * acknowledged entries that it does not know of.
 */
export async function* readLog(
  objects: LogObjects,
  rules: LogRules,
  view: LogView,
  asked: Position,
): AsyncGenerator<LogEntry> {
  const { root, acknowledged } = view;
  const from = rules.readStart(asked, root.truncatedTo);
  if (from === undefined) throw truncatedError(objects.channel, asked, root.truncatedTo);
  const counted = acknowledged === undefined ? root.sealed : [...root.sealed, [root.term, acknowledged] as const];
  for (const [term, count] of counted) {
    if (term < from.term) continue;
    const start = term === from.term ? from.index : firstIndex(root, term);
    yield* readCounted(objects, rules, { term, index: start }, count);
  }
  if (acknowledged !== undefined) {
    const after = await objects.readRoot();
    if (rules.isOwner(after.root, root.term)) return;
    throw fencedError(objects.channel, root.term, after.root.term);
  }
  if (root.term < from.term) return;
  const start = root.term === from.term ? from.index : firstIndex(root, root.term);
  const end = yield* readOpen(objects, { term: root.term, index: start });
  const after = await objects.readRoot();
  if (!rules.isTail(end, after.root.truncatedTo)) throw truncatedError(objects.channel, end, after.root.truncatedTo);
}

/** The first index of a term that is not truncated. */
export function firstIndex(root: LogRoot, term: number): number {
  return root.truncatedTo.term === term ? root.truncatedTo.index : 0;
}

/** The frames of a term from a position to a published count. */
async function* readCounted(
  objects: LogObjects,
  rules: LogRules,
  from: Position,
  count: number,
): AsyncGenerator<LogEntry> {
  for await (const { position, frame } of readSlots(objects, from, count)) {
    if (frame?.header.kind === 'data') {
      yield { position, bytes: frame.payload };
      continue;
    }
    if (frame !== undefined && rules.fenceBelowCount === 'end') return;
    const { truncatedTo } = (await objects.readRoot()).root;
    if (!rules.isTail(position, truncatedTo)) throw truncatedError(objects.channel, position, truncatedTo);
    const key = objects.key(position);
    throw new ElanusError('corrupt', `The log object ${key} is missing. Restore it from a copy.`, { details: { key } });
  }
}

/** The frames of the term that is open, from a position on; returns the position after the last. */
async function* readOpen(objects: LogObjects, from: Position): AsyncGenerator<LogEntry, Position> {
  for await (const { position, frame } of readSlots(objects, from, Number.POSITIVE_INFINITY)) {
    if (frame?.header.kind !== 'data') return position;
    yield { position, bytes: frame.payload };
  }
  return from;
}

interface Slot {
  readonly position: Position;
  readonly frame: Awaited<ReturnType<LogObjects['readFrame']>>;
}

/** Reads slots in order, several at a time. Where the end is not known it begins with one, for most tails are short. */
async function* readSlots(objects: LogObjects, { term, index: start }: Position, end: number): AsyncGenerator<Slot> {
  const ahead: Promise<Slot['frame']>[] = [];
  let width = Number.isFinite(end) ? READS_IN_FLIGHT : 1;
  for (let index = start; index < end; index++) {
    while (ahead.length < width && index + ahead.length < end) {
      const reading = objects.readFrame({ term, index: index + ahead.length });
      // It is awaited in its turn, or nobody wants it any more.
      reading.catch(() => undefined);
      ahead.push(reading);
    }
    yield { position: { term, index }, frame: await ahead.shift() };
    width = Math.min(width + 1, READS_IN_FLIGHT);
  }
}
