import { assert } from '../base/assert.ts';
import { ElanusError } from '../base/error.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

/** A range whose end is known: half-open, in bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One large read, and which of the asked spans (by their place in the question) it serves. */
export interface SpanGroup extends Span {
  readonly members: readonly number[];
}

export interface CoalesceOptions {
  /** Two spans that lie at most this many bytes apart are read together: a request costs more than these bytes. */
  readonly gapBytesMax?: number;
  /** One read holds at most this much, unless a single span is larger. */
  readonly readBytesMax?: number;
}

/** At about 100 MB/s and 20 ms a request, this gap costs a tenth of the request that it saves. */
const GAP_BYTES_MAX = 256 * 1024;
const READ_BYTES_MAX = 8 * 1024 * 1024;
/** A Worker has six connections; a browser's store gains nothing beyond that. */
const READS_IN_FLIGHT_MAX = 6;

/**
 * Groups spans of one object so that few reads serve them all. Spans may overlap, repeat and come in any order; the
 * groups come in ascending order.
 */
export function coalesceSpans(spans: readonly Span[], options: CoalesceOptions = {}): SpanGroup[] {
  const gapMax = options.gapBytesMax ?? GAP_BYTES_MAX;
  const readMax = options.readBytesMax ?? READ_BYTES_MAX;
  const ordered = spans.map((span, index) => ({ ...span, index }));
  ordered.sort((a, b) => a.start - b.start || a.end - b.end);
  const groups: { start: number; end: number; members: number[] }[] = [];
  for (const { start, end, index } of ordered) {
    assert(Number.isSafeInteger(start) && start >= 0 && end > start, `${start} to ${end} is a span`);
    const group = groups.at(-1);
    const isNear = group !== undefined && start - group.end <= gapMax;
    // A span inside the group costs nothing more, so that it joins whatever the group's size.
    if (isNear && (end <= group.end || end - group.start <= readMax)) {
      group.end = Math.max(group.end, end);
      group.members.push(index);
    } else groups.push({ start, end, members: [index] });
  }
  return groups;
}

/**
 * Reads many spans of one object with few requests, at most six at a time. Gives the bytes of each span, in the order of
 * the question; spans that were read together share a buffer. `undefined` if the object does not exist. Rejects with
 * `invalid` if a span passes the object's end, and with `conflict` if the object was replaced between two reads.
 */
export async function readSpans(
  store: ObjectStore,
  key: string,
  spans: readonly Span[],
  options: CoalesceOptions = {},
): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
  const groups = coalesceSpans(spans, options);
  const objects: (StoredObject | undefined)[] = new Array(groups.length);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < groups.length; index = next++) {
      const { start, end } = groups[index] as SpanGroup;
      objects[index] = await store.read(key, { start, end });
    }
  };
  await Promise.all(Array.from({ length: Math.min(READS_IN_FLIGHT_MAX, groups.length) }, work));
  const slices: Uint8Array<ArrayBuffer>[] = new Array(spans.length);
  for (const [index, group] of groups.entries()) {
    const object = objects[index];
    if (object === undefined) return undefined;
    if (object.version !== objects[0]?.version) {
      throw new ElanusError('conflict', `The object ${key} was replaced while it was read. Read it again.`);
    }
    for (const member of group.members) slices[member] = slice(object, group, spans[member] as Span);
  }
  return slices;
}

function slice(object: StoredObject, group: Span, span: Span): Uint8Array<ArrayBuffer> {
  if (span.end > object.size) {
    const message = `The span from ${span.start} to ${span.end} passes the end of ${object.key}, ${object.size} bytes.`;
    throw new ElanusError('invalid', message, { details: { key: object.key } });
  }
  return object.bytes.subarray(span.start - group.start, span.end - group.start);
}
