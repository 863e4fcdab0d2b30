import type { ChannelInspection, SegmentInspection } from '../model/inspection.ts';
import type { SegmentInfo } from '../segment/segment-info.ts';
import type { ChannelState } from './channel-state.ts';

/** What a channel consists of, as its reader or owner knows it: nothing is read for it. */
export function inspectState(channel: string, state: ChannelState, role: ChannelInspection['role']): ChannelInspection {
  const { term, checkpoint, checkpointAt, segments: infos } = state.stored.manifest;
  const stored = new Map(infos.map((info) => [info.id, bytesOf(info)]));
  const segments = state.segments().map((segment): SegmentInspection => {
    const { id, state: kind, length: rows, liveRows, bytes, heapBytes } = segment;
    const bytesStored = stored.get(id) ?? 0;
    return { id, state: kind, rows, liveRows, bytesStored, bytesInMemory: bytes + heapBytes, indexType: 'FLAT' };
  });
  return {
    channel,
    role,
    term,
    checkpoint,
    tailFrames: state.tailFrames,
    tailBytes: state.tailBytes,
    ...(checkpointAt > 0 ? { flushedAt: checkpointAt } : {}),
    rowCount: state.rowCount,
    segments,
  };
}

function bytesOf({ files, deltas }: SegmentInfo): number {
  return [...files, ...deltas].reduce((sum, { bytes }) => sum + bytes, 0);
}
