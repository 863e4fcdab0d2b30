import { millisecondsOf } from '../time/timestamp.ts';
import type { Manifest } from './manifest.ts';

/** Where a channel's segments lie: the partitions of a collection are shared by its channels, segment ids are not. */
export function partitionPrefix(collectionId: number): string {
  return `collections/${collectionId}/partitions/`;
}

/**
 * A segment's id: a timestamp that nobody else got, and the channel that it belongs to. It is fresh for every attempt,
 * and says when the attempt began.
 */
export function segmentId(timestamp: bigint, channel: string): string {
  return `${timestamp.toString(16).padStart(16, '0')}.${channel}`;
}

function parseSegmentId(id: string): { readonly milliseconds: number; readonly channel: string } | undefined {
  const match = /^([0-9a-f]{16})\.(.+)$/.exec(id);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { milliseconds: millisecondsOf(BigInt(`0x${match[1]}`)), channel: match[2] };
}

/** `collections/<id>/partitions/<partition>/segments/<segment>/<file>` */
function parseKey(key: string): { readonly segment: string; readonly file: string } | undefined {
  const parts = key.split('/');
  if (parts.length !== 7 || parts[4] !== 'segments') return undefined;
  return { segment: parts[5] as string, file: parts[6] as string };
}

/**
 * Which of the listed keys nobody needs: pure, so that each rule can be tested.
 *
 * A key stays if the manifest names its file, if a job of the owner is writing its segment, if its segment was dropped
 * less than a grace period ago, and, where the manifest never named it, if it began less than a grace period ago.
 * The order of looks is the caller's duty: list first, then note the jobs, then read the manifest (CHANNEL.md R7).
 */
export function garbageKeys(input: {
  readonly listed: readonly string[];
  readonly writing: ReadonlySet<string>;
  readonly manifest: Manifest;
  readonly now: number;
  readonly graceMs: number;
}): string[] {
  const live = new Map(
    input.manifest.segments.map((segment) => [
      segment.id,
      new Set([...segment.files.map((file) => file.name), ...segment.deltas.map((delta) => delta.name)]),
    ]),
  );
  const dropped = new Map(input.manifest.dropped.map((segment) => [segment.id, segment.droppedAt]));
  return input.listed.filter((key) => {
    const parsed = parseKey(key);
    const id = parsed === undefined ? undefined : parseSegmentId(parsed.segment);
    if (parsed === undefined || id === undefined || id.channel !== input.manifest.channel) return false;
    if (input.writing.has(parsed.segment)) return false;
    const files = live.get(parsed.segment);
    // A delta that lost its commit names its own attempt, so its age can be told.
    if (files !== undefined) return !files.has(parsed.file) && deltaIsOld(parsed.file, input);
    const since = dropped.get(parsed.segment) ?? id.milliseconds;
    return input.now - since > input.graceMs;
  });
}

function deltaIsOld(file: string, input: { readonly now: number; readonly graceMs: number }): boolean {
  const match = /^delta\.([0-9a-f]{16})$/.exec(file);
  if (match?.[1] === undefined) return false;
  return input.now - millisecondsOf(BigInt(`0x${match[1]}`)) > input.graceMs;
}
