import { expect, test } from 'vitest';
import { garbageKeys, partitionPrefix, segmentId } from '../../../core/manifest/garbage.ts';
import {
  claimed,
  emptyManifest,
  type FlushEdit,
  flushed,
  type Manifest,
  manifestProblem,
} from '../../../core/manifest/manifest.ts';
import type { SegmentInfo } from '../../../core/segment/segment-info.ts';
import { timestampAt } from '../../../core/time/timestamp.ts';

function segment(id: string): SegmentInfo {
  return {
    id,
    partitionId: 0,
    rows: 1,
    schemaVersion: 1,
    files: [{ name: 'columns.0', bytes: 100, directoryAt: 50, fieldIds: [100], startRow: 0, rows: 1 }],
    deltas: [],
    minKey: '1',
    maxKey: '1',
    maxTimestamp: '5',
    completeTo: { term: 1, index: 1 },
  };
}

const edit: FlushEdit = {
  segments: [segment('s1')],
  deltas: new Map(),
  checkpoint: { term: 1, index: 4 },
  checkpointTimestamp: 9n,
  requests: [{ client: '0123456789abcdef', firstPending: 2, timestamp: '9', answers: [[2, '9', 0]] }],
  at: 1000,
};

const first = claimed(emptyManifest(7, '7-0'), 'n1');
const second = flushed(first, edit, 'n2');

test('a claim and a flush follow their predecessors', () => {
  expect(manifestProblem(first, emptyManifest(7, '7-0'))).toBeUndefined();
  expect(manifestProblem(second, first)).toBeUndefined();
  expect(second).toMatchObject({
    term: 1,
    revision: 2,
    checkpoint: { term: 1, index: 4 },
    checkpointTimestamp: '9',
    requests: edit.requests,
  });
});

test('a new delta replaces the one before it', () => {
  const delta = (name: string): FlushEdit['deltas'] => new Map([['s1', { name, bytes: 1, deletes: 1 }]]);
  const third = flushed(second, { ...edit, segments: [], deltas: delta('delta.a') }, 'n3');
  const fourth = flushed(third, { ...edit, segments: [], deltas: delta('delta.b') }, 'n4');
  expect(fourth.segments[0]?.deltas.map(({ name }) => name)).toEqual(['delta.b']);
  expect(manifestProblem(fourth, third)).toBeUndefined();
});

test.each<[string, Partial<Manifest>]>([
  ['another channel', { channel: '7-1' }],
  ['its term goes back', { term: 0 }],
  ['its revision is not the next', { revision: 2 }],
  ['its nonce is not new', { nonce: 'n2' }],
  ['its checkpoint goes back', { checkpoint: { term: 1, index: 3 } }],
  ['its time goes back', { checkpointTimestamp: '8' }],
  ['it forgets segment s1', { segments: [] }],
  ['it remembers a client twice', { requests: [...edit.requests, ...edit.requests] }],
  ['it names a segment twice', { segments: [segment('s1'), segment('s1')] }],
])('%s: refused', (problem, change) => {
  const next = { ...claimed(second, 'n3'), ...change };
  expect(manifestProblem(next, second)).toContain(problem);
});

test('a dropped channel does not come back, nor a dropped segment', () => {
  const ended = flushed(second, { ...edit, segments: [], ended: true }, 'n3');
  expect(manifestProblem({ ...claimed(ended, 'n4'), ended: false }, ended)).toContain('does not come back');
  const without = { ...claimed(second, 'n3'), segments: [], dropped: [{ id: 's1', partitionId: 0, droppedAt: 5 }] };
  expect(manifestProblem(without, second)).toBeUndefined();
  const again = { ...claimed(without, 'n4'), segments: [segment('s1')] };
  expect(manifestProblem(again, without)).toContain('again');
});

const NOW = 10_000_000;
const GRACE = 60_000;
const old = timestampAt(NOW - 2 * GRACE);
const young = timestampAt(NOW - GRACE / 2);

function key(id: string, file: string): string {
  return `${partitionPrefix(7)}0/segments/${id}/${file}`;
}

function garbage(listed: readonly string[], more: Partial<Parameters<typeof garbageKeys>[0]> = {}): string[] {
  const live = segmentId(old, '7-0');
  const manifest = { ...second, segments: [segment(live)] };
  return garbageKeys({ listed, writing: new Set(), manifest, now: NOW, graceMs: GRACE, ...more });
}

test('what the manifest names stays; what it never named goes when it is old', () => {
  const live = key(segmentId(old, '7-0'), 'columns.0');
  const lost = key(segmentId(old + 1n, '7-0'), 'columns.0');
  const fresh = key(segmentId(young, '7-0'), 'columns.0');
  expect(garbage([live, lost, fresh])).toEqual([lost]);
});

test('what is being written stays, however old; so does what another channel owns', () => {
  const id = segmentId(old + 1n, '7-0');
  expect(garbage([key(id, 'columns.0')], { writing: new Set([id]) })).toEqual([]);
  expect(garbage([key(segmentId(old + 1n, '7-1'), 'columns.0'), 'collections/7/meta/1'])).toEqual([]);
});

test('a dropped segment stays for a grace period after it was dropped, not after it was made', () => {
  const id = segmentId(old, '7-0');
  const manifest = { ...second, segments: [], dropped: [{ id, partitionId: 0, droppedAt: NOW - GRACE / 2 }] };
  const listed = [key(id, 'columns.0')];
  expect(garbage(listed, { manifest })).toEqual([]);
  expect(garbage(listed, { manifest, now: NOW + GRACE })).toEqual(listed);
});

test('deltas that were replaced, or lost their commit, go when they are old; an unknown file stays', () => {
  const id = segmentId(old, '7-0');
  const delta = (timestamp: bigint): string => key(id, `delta.${timestamp.toString(16).padStart(16, '0')}`);
  expect(garbage([delta(old), delta(young), key(id, 'notes.txt')])).toEqual([delta(old)]);
});
