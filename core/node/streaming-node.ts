import { codeOf, ElanusError } from '../base/error.ts';
import { tryAll } from '../base/try-all.ts';
import { CatalogStore } from '../catalog/catalog-store.ts';
import { ManifestStore } from '../manifest/manifest-store.ts';
import type { ChannelInspection } from '../model/inspection.ts';
import { READ_RETRIES_MAX, RECORD_BYTES_MAX } from '../model/limits.ts';
import { checkRequestId } from '../model/request-id.ts';
import { type CollectionMeta, DEFAULT_PARTITION_ID } from '../model/schema.ts';
import type { Platform } from '../platform.ts';
import { growthOfDelete, growthOfWrite } from '../segment/growth.ts';
import { encodeRecord } from '../wal/record.ts';
import { Channel } from './channel.ts';
import { countView, matchingKeys, queryView, searchView } from './channel-read.ts';
import type { ChannelView } from './channel-state.ts';
import { IdleMemory } from './idle-memory.ts';
import type {
  ChannelAddress,
  CoordinatorPeer,
  CountRequest,
  DeleteAnswer,
  DeleteRequest,
  Guarantee,
  QueryAnswer,
  QueryRequest,
  SearchAnswer,
  SearchRequest,
  StreamingPeer,
  WriteAnswer,
  WriteRequest,
} from './protocol.ts';
import { Stopwatch } from './stopwatch.ts';

/**
 * The streaming node: leads channels. It owns their logs, their order, their growing segments and their manifests, and
 * answers reads with one consistent view. On the edge each has one channel; in the browser one node leads them all.
 */
export class StreamingNode implements StreamingPeer {
  readonly #platform: Platform;
  readonly #coordinator: CoordinatorPeer;
  readonly #metas: CatalogStore;
  readonly #idle: IdleMemory;
  readonly #channels = new Map<string, Promise<Channel>>();
  #closed = false;

  constructor(platform: Platform, coordinator: CoordinatorPeer) {
    this.#platform = platform;
    this.#coordinator = coordinator;
    this.#metas = new CatalogStore(platform.objects, platform);
    this.#idle = new IdleMemory(platform);
  }

  async write(request: WriteRequest): Promise<WriteAnswer> {
    const id = request.request;
    if (id !== undefined) checkRequestId(id);
    const bytes = encodeRecord({
      kind: 'write',
      partitionId: DEFAULT_PARTITION_ID,
      schemaVersion: request.schemaVersion,
      batch: request.batch,
      ...(id === undefined ? {} : { request: id }),
    });
    refuseLargeRecord(bytes, 'Send fewer rows in one request.');
    const channel = await this.#channel(request);
    const record = { bytes, request: id, growth: growthOfWrite(request.batch), deleteCount: 0 };
    const { timestamp } = await channel.once(id, () => channel.append(record));
    return { timestamp };
  }

  async delete(request: DeleteRequest): Promise<DeleteAnswer> {
    if (request.request !== undefined) checkRequestId(request.request);
    const channel = await this.#channel(request);
    return channel.once(request.request, () => this.#deleteOnce(channel, request));
  }

  search(request: SearchRequest): Promise<SearchAnswer> {
    const watch = request.isTraced === true ? new Stopwatch(this.#platform.clock) : undefined;
    return this.#read(request, request.guarantee, (view, meta) => searchView(view, meta, request, watch));
  }

  query(request: QueryRequest): Promise<QueryAnswer> {
    return this.#read(request, request.guarantee, (view, meta) => queryView(view, meta, request));
  }

  count(request: CountRequest): Promise<number> {
    return this.#read(request, request.guarantee, (view) => countView(view, request));
  }

  async flush(address: ChannelAddress): Promise<void> {
    await (await this.#channel(address)).flush();
  }

  async statistics(address: ChannelAddress): Promise<ChannelInspection> {
    return (await this.#channel(address)).statistics();
  }

  async release(address: ChannelAddress): Promise<void> {
    if (!this.#channels.has(address.channel)) return;
    await (await this.#channel(address)).release();
  }

  async drop(address: ChannelAddress): Promise<void> {
    if ((await this.#metas.readMeta(address.collectionId, address.schemaVersion)) === undefined) return;
    const channel = await this.#channel(address);
    await channel.drop();
    this.#channels.delete(address.channel);
  }

  /** What is due in the channels that are open here; opens `also` first, if it is named and still exists. */
  async work(also?: ChannelAddress): Promise<void> {
    if (also !== undefined) await this.#channel(also).catch(() => undefined);
    const channels = [...this.#channels.values()].map((opening) => async () => (await opening).work());
    await tryAll([...channels, async () => this.#idle.work()]);
  }

  /** Waits for appends under way and frees all memory. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const channels = [...this.#channels.values()];
    this.#channels.clear();
    await Promise.all(channels.map(async (channel) => (await channel).close()));
  }

  /**
   * A delete with an id leaves a record even if it finds nothing: sent again, it must not delete what was written
   * meanwhile.
   */
  async #deleteOnce(channel: Channel, { target, request }: DeleteRequest): Promise<DeleteAnswer> {
    const keys =
      'keys' in target
        ? target.keys
        : await matchingKeys(await channel.view({ level: 'Strong' }), channel.meta, target.filter);
    if (keys.length === 0 && request === undefined) return { deleteCount: 0, timestamp: 0n };
    const bytes = encodeRecord({
      kind: 'delete',
      partitionId: DEFAULT_PARTITION_ID,
      keys,
      ...(request === undefined ? {} : { request }),
    });
    refuseLargeRecord(bytes, 'Delete in several requests, each with a narrower filter or fewer keys.');
    return channel.append({ bytes, request, growth: growthOfDelete(keys), deleteCount: keys.length });
  }

  async #read<Answer>(
    address: ChannelAddress,
    guarantee: Guarantee,
    compute: (view: ChannelView, meta: CollectionMeta) => Promise<Answer>,
  ): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const channel = await this.#channel(address);
      try {
        return await compute(await channel.view(guarantee), channel.meta);
      } catch (error) {
        // The view was taken from a manifest that is old by now, or its memory was needed: a new view has neither fault.
        if (!isOutdated(error) || attempt >= READ_RETRIES_MAX) throw error;
        await channel.reload();
      }
    }
  }

  async #channel(address: ChannelAddress): Promise<Channel> {
    if (this.#closed) throw new ElanusError('closed', 'The streaming node is closed; open the database again.');
    let opening = this.#channels.get(address.channel);
    if (opening === undefined) {
      opening = this.#open(address);
      this.#channels.set(address.channel, opening);
      opening.catch(() => this.#channels.delete(address.channel));
    }
    const channel = await opening;
    this.#idle.used();
    if (channel.meta.version === address.schemaVersion && channel.meta.id === address.collectionId) return channel;
    throw new ElanusError(
      'stale',
      `Channel ${address.channel} has another schema than version ${address.schemaVersion}.`,
    );
  }

  async #open(address: ChannelAddress): Promise<Channel> {
    const meta = await this.#metas.readMeta(address.collectionId, address.schemaVersion);
    if (meta === undefined) {
      throw new ElanusError('stale', `Collection ${address.collectionId} does not exist any more.`, {
        details: { collectionId: address.collectionId },
      });
    }
    const manifests = new ManifestStore(this.#platform.objects, this.#platform, meta.id, address.channel);
    const { objects, residency } = this.#platform;
    const host = { objects, residency };
    return new Channel(this.#platform, this.#coordinator, { name: address.channel, meta, manifests, host });
  }
}

function isOutdated(error: unknown): boolean {
  const reason = (error as { details?: { reason?: unknown } }).details?.reason;
  return (
    (codeOf(error) === 'stale' && reason === 'missing-object') || (codeOf(error) === 'closed' && reason === 'freed')
  );
}

function refuseLargeRecord(record: Uint8Array, advice: string): void {
  if (record.length <= RECORD_BYTES_MAX) return;
  throw new ElanusError(
    'invalid',
    `The request takes ${record.length} bytes in the log, more than ${RECORD_BYTES_MAX}. ${advice}`,
    {
      milvusCode: 1102,
      details: { bytes: record.length, bytesMax: RECORD_BYTES_MAX },
    },
  );
}
