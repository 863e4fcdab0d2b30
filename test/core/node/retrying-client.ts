import { codeOf } from '../../../core/base/error.ts';
import type { Connection } from '../../../core/client/connection.ts';
import { Database } from '../../../core/client/database.ts';
import type { Cluster, DeleteAnswer, RequestId, StreamingPeer } from '../../../core/node/protocol.ts';
import { Proxy } from '../../../core/node/proxy.ts';
import type { MemoryStore } from '../../../core/storage/memory-store.ts';
import { FlakyStore } from '../../fakes/flaky-store.ts';
import type { SimulatedClock } from '../../fakes/simulated-clock.ts';
import { type TestCluster, testCluster } from './cluster.ts';

/** A host that may die: all roles over a faulty way to the store that all hosts share. */
export interface Process {
  readonly flaky: FlakyStore;
  readonly running: TestCluster;
}

export async function startProcess(objects: MemoryStore, clock: SimulatedClock, seed: number = 1): Promise<Process> {
  const flaky = new FlakyStore(objects, { clock, random: () => (seed * 0x9e3779b1) >>> 0 });
  return { flaky, running: await testCluster({ objects: flaky, clock, memoryBytes: 256 * 1024 * 1024 }) };
}

/** How a client's calls travel. */
export interface Network {
  /** Whom the client believes to be the owner now. */
  process(): Process;
  /** What happens to the next call: its answer is lost, or it is delivered twice. */
  fate(): 'arrives' | 'answer lost' | 'twice';
  /** Called after a call got no answer, before it is sent again. */
  beforeRetry(attempt: number): Promise<void>;
}

const RETRIED: ReadonlySet<string> = new Set(['unavailable', 'overloaded', 'fenced', 'closed']);
const ATTEMPTS_MAX = 60;

/** A client that sends a write whose outcome it does not know again, under the same id, until it has an answer. */
export class RetryingClient {
  readonly #network: Network;
  readonly #name: string;
  readonly #clock: SimulatedClock;
  #sequence = 0;
  readonly #pending = new Set<number>();

  constructor(network: Network, clock: SimulatedClock, number: number) {
    this.#network = network;
    this.#clock = clock;
    this.#name = number.toString(16).padStart(16, '0');
  }

  /** Runs one writing call of a database; gives what the channel answered to it, if it was asked. */
  async run(call: (db: Database) => Promise<unknown>): Promise<DeleteAnswer | undefined> {
    let answer: DeleteAnswer | undefined;
    const node = (channel: string): StreamingPeer => this.#network.process().running.cluster.streamingNode(channel);
    const once = async (ask: (request: RequestId) => Promise<DeleteAnswer>): Promise<DeleteAnswer> => {
      const sequence = ++this.#sequence;
      this.#pending.add(sequence);
      answer = await this.#send(() => ask({ client: this.#name, sequence, firstPending: Math.min(...this.#pending) }));
      this.#pending.delete(sequence);
      return answer;
    };
    const cluster: Cluster = {
      coordinator: remote((method, args) =>
        this.#send(() => {
          const { coordinator } = this.#network.process().running.cluster;
          return (coordinator[method] as (...args: unknown[]) => Promise<unknown>).apply(coordinator, args);
        }),
      ),
      streamingNode: (channel) =>
        remote<StreamingPeer>(
          (method, args) =>
            this.#send(() =>
              (node(channel)[method] as (...args: unknown[]) => Promise<unknown>).apply(node(channel), args),
            ),
          {
            write: (asked) =>
              once(async (request) => ({ ...(await node(channel).write({ ...asked, request })), deleteCount: 0 })),
            delete: (asked) => once((request) => node(channel).delete({ ...asked, request })),
          },
        ),
    };
    const proxy = new Proxy(cluster, this.#clock);
    const connection: Connection = {
      call: (method, body) => proxy.call(method, body),
      info: () => Promise.reject(new TypeError('There is no host to tell about.')),
      close: () => Promise.resolve(),
      destroy: () => Promise.resolve(),
    };
    await call(new Database(connection));
    return answer;
  }

  async #send<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const { flaky } = this.#network.process();
      const fate = this.#network.fate();
      try {
        if (fate === 'twice') void ask().catch(() => undefined);
        const outcome = await untilCrash(flaky, ask());
        if (outcome !== undefined && fate !== 'answer lost') return outcome.answer;
      } catch (error) {
        if (!RETRIED.has(codeOf(error))) throw error;
      }
      await this.#network.beforeRetry(attempt);
    }
    throw new Error(`No answer after ${ATTEMPTS_MAX} attempts.`);
  }
}

/** The answer, or nothing if the process dies first. */
export async function untilCrash<Answer>(
  flaky: FlakyStore,
  asked: Promise<Answer>,
): Promise<{ readonly answer: Answer } | undefined> {
  let isOver = false;
  const crashed = (async (): Promise<undefined> => {
    while (!isOver && !flaky.hasCrashed) await new Promise((resolve) => setImmediate(resolve));
    return undefined;
  })();
  try {
    return await Promise.race([asked.then((answer) => ({ answer })), crashed]);
  } finally {
    isOver = true;
  }
}

/** A role whose methods are its own, or else calls by name. */
function remote<Role extends object>(
  call: (method: keyof Role, args: unknown[]) => Promise<unknown>,
  own: Partial<Role> = {},
): Role {
  const get = (_: object, method: string | symbol): unknown =>
    own[method as keyof Role] ?? ((...args: unknown[]) => call(method as keyof Role, args));
  return new globalThis.Proxy({}, { get }) as Role;
}
