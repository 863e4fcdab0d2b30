import { DurableObject } from 'cloudflare:workers';
import type { ChannelAddress, StreamingPeer } from '../../core/node/protocol.ts';
import { StreamingNode } from '../../core/node/streaming-node.ts';
import type { Env } from '../env.ts';
import { ObjectAlarm } from './alarm.ts';
import { remoteCoordinator, STREAMING_METHODS } from './cluster.ts';
import { clock, objectPlatform } from './host.ts';
import { answerCall, type Reply, type RoleStub } from './rpc.ts';

const ADDRESS_KEY = 'address';

/**
 * The Durable Object in which the streaming node of one channel runs. Everything durable is in R2; its own storage
 * holds an alarm, and the address of the channel that the alarm is for: after a restart nobody else would name it.
 */
export class ElanusChannel extends DurableObject<Env> implements RoleStub {
  readonly #alarm: ObjectAlarm;
  readonly #role: StreamingNode;
  #address: ChannelAddress | undefined;
  #stored: ChannelAddress | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#alarm = new ObjectAlarm(ctx.storage, clock.now);
    const platform = objectPlatform(ctx, env, (at) => ctx.waitUntil(this.#wake(at)));
    this.#role = new StreamingNode(platform, remoteCoordinator(env));
  }

  /** A method of the streaming node, for the proxy or the coordinator; the first argument names the channel. */
  async call(method: string, args: readonly unknown[]): Promise<Reply> {
    const { channel, collectionId, schemaVersion } = args[0] as ChannelAddress;
    if (this.#address?.schemaVersion !== schemaVersion) this.#address = { channel, collectionId, schemaVersion };
    const reply = await answerCall<StreamingPeer>(this.#role, STREAMING_METHODS, method, args);
    if (method === 'drop' && reply.ok) await this.#forget();
    return reply;
  }

  override alarm(): Promise<void> {
    return this.#alarm.ring(async () => {
      this.#stored ??= await this.ctx.storage.get<ChannelAddress>(ADDRESS_KEY);
      await this.#role.work(this.#stored);
    });
  }

  async #wake(at: number): Promise<void> {
    const address = this.#address;
    try {
      if (address !== undefined && address !== this.#stored) {
        this.#stored = address;
        await this.ctx.storage.put(ADDRESS_KEY, address);
      }
      await this.#alarm.set(at);
    } catch {
      // Storage fails when the platform has replaced this object: the new one sets its own alarm.
      this.#stored = undefined;
    }
  }

  /** The channel has ended: an object without storage ceases to exist. */
  async #forget(): Promise<void> {
    this.#stored = undefined;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }
}
