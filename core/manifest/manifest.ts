import type { SegmentDelta, SegmentInfo } from '../segment/segment-info.ts';
import { comparePositions, POSITION_START, type Position } from '../wal/log.ts';
import type { RememberedClient } from '../wal/request-memory.ts';

/** A segment that the channel consisted of once; its objects are garbage after a grace period. */
export interface DroppedSegment {
  readonly id: string;
  readonly partitionId: number;
  /** Milliseconds since the epoch. */
  readonly droppedAt: number;
}

/**
 * What a channel consists of now. It is replaced as a whole, by compare-and-swap, and only by the channel's owner:
 * at claim, flush and compaction.
 */
export interface Manifest {
  readonly collectionId: number;
  readonly channel: string;
  /** Which owner wrote this; grows at each claim. */
  readonly term: number;
  /** Grows at each write. */
  readonly revision: number;
  /** Two claimants never write the same bytes. */
  readonly nonce: string;
  /** The first position of the log that is still held only in memory; it never goes back. */
  readonly checkpoint: Position;
  /** The newest timestamp below the checkpoint, in decimal. */
  readonly checkpointTimestamp: string;
  /** When the checkpoint last moved (milliseconds): frames below it are deleted a grace period later. */
  readonly checkpointAt: number;
  readonly segments: readonly SegmentInfo[];
  readonly dropped: readonly DroppedSegment[];
  /** The requests that lie below the checkpoint and whose clients may send them again. */
  readonly requests: readonly RememberedClient[];
  /** The channel was dropped: nothing is read or written any more. */
  readonly ended: boolean;
}

/** The manifest of a channel that has none yet: nothing claimed, nothing written. */
export function emptyManifest(collectionId: number, channel: string): Manifest {
  return {
    collectionId,
    channel,
    term: 0,
    revision: 0,
    nonce: '',
    checkpoint: POSITION_START,
    checkpointTimestamp: '0',
    checkpointAt: 0,
    segments: [],
    dropped: [],
    requests: [],
    ended: false,
  };
}

/** What a flush adds. */
export interface FlushEdit {
  readonly segments: readonly SegmentInfo[];
  /** New deltas, by the id of the segment whose rows they end; each holds all ended rows and replaces its predecessor. */
  readonly deltas: ReadonlyMap<string, SegmentDelta>;
  readonly checkpoint: Position;
  readonly checkpointTimestamp: bigint;
  /** All that is remembered of the log below the checkpoint; replaces what the manifest had. */
  readonly requests: readonly RememberedClient[];
  readonly at: number;
  readonly ended?: boolean;
}

/** The next owner's manifest: the same content under the next term. */
export function claimed(current: Manifest, nonce: string): Manifest {
  return { ...current, term: current.term + 1, revision: current.revision + 1, nonce };
}

/** The manifest after a flush. */
export function flushed(current: Manifest, edit: FlushEdit, nonce: string): Manifest {
  const kept = current.segments.map((segment) => {
    const delta = edit.deltas.get(segment.id);
    return delta === undefined ? segment : { ...segment, deltas: [delta] };
  });
  return {
    ...current,
    revision: current.revision + 1,
    nonce,
    checkpoint: edit.checkpoint,
    checkpointTimestamp: edit.checkpointTimestamp.toString(),
    checkpointAt: edit.at,
    segments: [...kept, ...edit.segments],
    requests: edit.requests,
    ended: edit.ended ?? current.ended,
  };
}

/**
 * Why `next` may not follow `current`; undefined if it may. Checked before every write: an edit that breaks one of
 * these would lose rows.
 */
export function manifestProblem(next: Manifest, current: Manifest): string | undefined {
  if (next.collectionId !== current.collectionId || next.channel !== current.channel) return 'it is of another channel';
  if (next.term < current.term) return 'its term goes back';
  if (next.revision !== current.revision + 1) return 'its revision is not the next one';
  if (next.nonce === current.nonce) return 'its nonce is not new';
  if (comparePositions(next.checkpoint, current.checkpoint) < 0) return 'its checkpoint goes back';
  if (BigInt(next.checkpointTimestamp) < BigInt(current.checkpointTimestamp)) return 'its time goes back';
  const clients = new Set(next.requests.map(({ client }) => client));
  if (clients.size !== next.requests.length) return 'it remembers a client twice';
  if (current.ended && !next.ended) return 'a dropped channel does not come back';
  const ids = new Set(next.segments.map((segment) => segment.id));
  if (ids.size !== next.segments.length) return 'it names a segment twice';
  const dropped = new Set(next.dropped.map((segment) => segment.id));
  for (const { id } of current.segments) {
    if (!ids.has(id) && !dropped.has(id)) return `it forgets segment ${id}`;
  }
  for (const { id } of current.dropped) {
    if (ids.has(id)) return `it uses the id of dropped segment ${id} again`;
  }
  return undefined;
}
