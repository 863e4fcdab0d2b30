import { codeOf } from '../base/error.ts';
import { segmentId } from '../manifest/garbage.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { DEFAULT_PARTITION_ID } from '../model/schema.ts';
import type { Platform } from '../platform.ts';
import { encodeDelta } from '../segment/delta.ts';
import { type SegmentDelta, segmentPrefix } from '../segment/segment-info.ts';
import { writeSegment } from '../segment/segment-writer.ts';
import { createCertainly } from '../storage/certain.ts';
import { FLUSH_COPIES } from '../vector/residency.ts';
import type { ChannelState } from './channel-state.ts';
import type { CoordinatorPeer } from './protocol.ts';

export interface FlushContext {
  readonly platform: Platform;
  readonly coordinator: CoordinatorPeer;
  readonly manifests: ManifestStore;
  readonly channel: string;
  readonly state: ChannelState;
  /** Segments whose objects are being written: safe from garbage collection while they are in here. */
  readonly writing: Set<string>;
}

interface NewObject {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/**
 * Moves the unflushed tail of a channel into a segment: seal → create the segment's objects and a delta for every
 * delete of a flushed row → commit the manifest. The caller runs one at a time, and truncates the log a grace period
 * later.
 *
 * A crash between any two steps leaves garbage, never loss: until the manifest is committed its predecessor and the
 * log still hold everything. If the commit is lost to another owner, nothing is deleted.
 */
export async function flushChannel(context: FlushContext): Promise<void> {
  const { coordinator, state, platform } = context;
  if (state.tailFrames === 0) return;
  // Ids are fresh for every attempt: one for the segment, one for the deltas of this flush.
  const { first } = await coordinator.allocateTimestamps(2);
  const id = segmentId(first, context.channel);
  const tail = state.seal(id);
  context.writing.add(id);
  const held = platform.residency.charge('flush');
  held.set(FLUSH_COPIES * (tail.segment.bytes + tail.segment.heapBytes));
  try {
    const written = writeSegment(tail.segment, {
      id,
      meta: state.meta,
      partitionId: DEFAULT_PARTITION_ID,
      timestamp: tail.timestamp,
      completeTo: tail.completeTo,
    });
    const deltas = await writeDeltas(context, tail.timestamp, first + 1n);
    const stored = await withObjects(context, [...(written?.objects ?? []), ...deltas.objects], () =>
      context.manifests.commitFlush(state.stored, {
        segments: written === undefined ? [] : [written.info],
        deltas: deltas.byId,
        checkpoint: tail.completeTo,
        checkpointTimestamp: tail.timestamp,
        requests: tail.requests,
        at: platform.clock.now(),
      }),
    );
    state.flushed(stored, tail, written);
    platform.trace?.({ name: 'flush', details: { channel: context.channel, rows: written?.info.rows ?? 0 } });
  } finally {
    held.set(0);
    context.writing.delete(id);
  }
}

async function writeDeltas(
  context: FlushContext,
  sealedAt: bigint,
  build: bigint,
): Promise<{ readonly objects: NewObject[]; readonly byId: Map<string, SegmentDelta> }> {
  const objects: NewObject[] = [];
  const byId = new Map<string, SegmentDelta>();
  const name = `delta.${build.toString(16).padStart(16, '0')}`;
  for (const [segment, deletes] of await context.state.sealedDeletes(sealedAt)) {
    const bytes = encodeDelta(deletes);
    const place = { id: segment.id, partitionId: DEFAULT_PARTITION_ID };
    objects.push({ key: `${segmentPrefix(context.state.meta.id, place)}${name}`, bytes });
    byId.set(segment.id, { name, bytes: bytes.byteLength, deletes: deletes.size });
  }
  return { objects, byId };
}

/** Objects written at the same time: R2 lets six requests wait. */
const CREATES_IN_FLIGHT_MAX = 4;

/**
 * Creates the objects, then commits what names them. If the store is full, nothing names them for certain: they are
 * deleted at once, for each attempt has names of its own and would take what room is left.
 */
async function withObjects<T>(
  context: FlushContext,
  objects: readonly NewObject[],
  commit: () => Promise<T>,
): Promise<T> {
  const { objects: store, clock } = context.platform;
  try {
    for (let start = 0; start < objects.length; start += CREATES_IN_FLIGHT_MAX) {
      const some = objects.slice(start, start + CREATES_IN_FLIGHT_MAX);
      const ends = await Promise.allSettled(some.map(({ key, bytes }) => createCertainly(store, key, bytes, clock)));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    }
    return await commit();
  } catch (error) {
    if (codeOf(error) === 'quota') await store.delete(objects.map(({ key }) => key)).catch(() => undefined);
    throw error;
  }
}
