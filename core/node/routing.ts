import { crc32c } from '../base/crc32c.ts';
import type { Key } from '../model/column.ts';
import { type CollectionMeta, channelNames } from '../model/schema.ts';
import type { ChannelAddress, Cluster, StreamingPeer } from './protocol.ts';

const encoder = new TextEncoder();
const word = new Uint8Array(8);
const wordView = new DataView(word.buffer);

/** The channels of a collection, by shard, as a caller who knows this version of it addresses them. */
export function channelAddresses(meta: CollectionMeta): ChannelAddress[] {
  const { id: collectionId, version: schemaVersion } = meta;
  return channelNames(collectionId, meta.shardsNum).map((channel) => ({ channel, collectionId, schemaVersion }));
}

/** Asks every channel of a collection at once; the answers come in the order of the shards. */
export function askChannels<Answer>(
  cluster: Cluster,
  meta: CollectionMeta,
  call: (peer: StreamingPeer, address: ChannelAddress) => Promise<Answer>,
): Promise<Answer[]> {
  return Promise.all(channelAddresses(meta).map((address) => call(cluster.streamingNode(address.channel), address)));
}

/** Which of a collection's channels owns a key: the same answer on every host, for ever. */
export function shardOf(key: Key, shardsNum: number): number {
  if (shardsNum === 1) return 0;
  if (typeof key === 'string') return crc32c(encoder.encode(key)) % shardsNum;
  wordView.setBigInt64(0, key, true);
  return crc32c(word) % shardsNum;
}

/** The numbers of the keys that each channel owns; `undefined` for a channel that owns none. */
export function routeKeys(keys: ArrayLike<Key>, shardsNum: number): (number[] | undefined)[] {
  const routed: (number[] | undefined)[] = Array.from({ length: shardsNum }, () => undefined);
  for (let index = 0; index < keys.length; index++) {
    const shard = shardOf(keys[index] as Key, shardsNum);
    const list = routed[shard];
    if (list === undefined) routed[shard] = [index];
    else list.push(index);
  }
  return routed;
}
