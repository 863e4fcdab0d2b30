import { DurableObject } from 'cloudflare:workers';
import type { Info } from '../../core/elanus.ts';
import { Coordinator } from '../../core/node/coordinator.ts';
import { VERSION } from '../../core/version.ts';
import type { Env } from '../env.ts';
import { ObjectAlarm } from './alarm.ts';
import { COORDINATOR_METHODS, type EdgeCoordinator, remoteStreamingNode } from './cluster.ts';
import { clock, objectPlatform, wakeBy } from './host.ts';
import { isolateResidency, KERNEL_NAME } from './kernel.ts';
import { answerCall, type Reply, type RoleStub } from './rpc.ts';

/** The Durable Object in which an instance's coordinator runs. It keeps nothing in its own storage but an alarm. */
export class ElanusCoordinator extends DurableObject<Env> implements RoleStub {
  readonly #alarm: ObjectAlarm;
  readonly #role: CoordinatorRole;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#alarm = new ObjectAlarm(ctx.storage, clock.now);
    const platform = objectPlatform(ctx, env, wakeBy(ctx, this.#alarm));
    this.#role = new CoordinatorRole(platform, (channel) => remoteStreamingNode(env, channel));
  }

  /** A method of the coordinator, for a caller in another object or in the Worker. */
  call(method: string, args: readonly unknown[]): Promise<Reply> {
    return answerCall<EdgeCoordinator>(this.#role, COORDINATOR_METHODS, method, args);
  }

  override alarm(): Promise<void> {
    return this.#alarm.ring(() => this.#role.work());
  }
}

class CoordinatorRole extends Coordinator implements EdgeCoordinator {
  async info(): Promise<Info> {
    return { version: VERSION, host: 'edge', storage: 'r2', kernel: KERNEL_NAME, memory: isolateResidency().use() };
  }
}
