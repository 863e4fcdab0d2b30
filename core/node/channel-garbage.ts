import { garbageKeys, partitionPrefix } from '../manifest/garbage.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { GARBAGE_GRACE_MS } from '../model/limits.ts';
import type { Platform } from '../platform.ts';
import { collectLogGarbage } from '../wal/object-log.ts';
import type { ChannelState } from './channel-state.ts';

/**
 * Deletes what no manifest names. Only a channel's owner collects, and in this order (CHANNEL.md R7): it lists, then
 * notes what it is writing, then reads the manifest, and stops if the term there is not its own.
 *
 * Why the order. With the manifest read first: (1) it is read, (2) a flush commits a segment, (3) the listing shows the
 * segment's objects, (4) they are deleted as unnamed. Without the look at the term: a stale owner wakes up and deletes
 * what the new owner's manifest names.
 */
export async function collectChannelGarbage(context: {
  readonly platform: Platform;
  readonly manifests: ManifestStore;
  readonly channel: string;
  readonly state: ChannelState;
  readonly writing: ReadonlySet<string>;
}): Promise<void> {
  const { objects, clock, trace } = context.platform;
  const listed: string[] = [];
  for await (const { key } of objects.list(partitionPrefix(context.state.meta.id))) listed.push(key);
  const writing = new Set(context.writing);
  const { manifest } = await context.manifests.read();
  if (manifest.term !== context.state.stored.manifest.term) return;
  const garbage = garbageKeys({ listed, writing, manifest, now: clock.now(), graceMs: GARBAGE_GRACE_MS });
  await objects.delete(garbage);
  await collectLogGarbage(objects, context.channel, context.platform);
  trace?.({ name: 'garbage', details: { channel: context.channel, objects: garbage.length } });
}
