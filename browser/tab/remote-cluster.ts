import { codeOf, ElanusError } from '../../core/base/error.ts';
import type {
  Cluster,
  CoordinatorPeer,
  DeleteRequest,
  RequestId,
  StreamingPeer,
  WriteRequest,
} from '../../core/node/protocol.ts';
import type { Clock } from '../../core/time/clock.ts';
import { type EngineAccess, type EngineLink, isPassing } from './engine-access.ts';

/** How long a call is tried again at one engine after another before it is given up. */
const RETRY_MS_MAX = 120_000;
/** The first pause between two tries, and the longest. */
const PAUSE_MS_MIN = 5;
const PAUSE_MS_MAX = 250;
/** Batches smaller than this are copied faster than moved. */
const MOVED_BYTES_MIN = 64 * 1024;

/**
 * The cluster as a tab's proxy sees it: coordinator and streaming node are those of whichever engine leads. A call whose
 * engine goes away is repeated at the next one, reads as they are and writes under the same id, so that each is applied
 * once; after two minutes it rejects with `unavailable`.
 */
export class RemoteCluster implements Cluster {
  readonly coordinator: CoordinatorPeer;
  readonly #node: StreamingPeer;
  readonly #access: EngineAccess;
  readonly #clock: Clock;
  readonly #ids: RequestIds;

  /** @param client names this tab in the ids of its writes: 16 hex digits */
  constructor(access: EngineAccess, clock: Clock, client: string) {
    this.#access = access;
    this.#clock = clock;
    this.#ids = new RequestIds(client);
    this.coordinator = stub((method, args) => this.call('coordinator', method, () => args)) as CoordinatorPeer;
    this.#node = stub((method, args) => this.#callNode(method, args)) as StreamingPeer;
  }

  streamingNode(_channel: string): StreamingPeer {
    return this.#node;
  }

  /** Calls a role of the engine that leads, and again if another does. The arguments are made for each try. */
  async call(role: string, method: string, argsFor: () => readonly unknown[]): Promise<unknown> {
    const until = this.#clock.now() + RETRY_MS_MAX;
    const answered = this.#access.waits();
    try {
      for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
        const link = await this.#access.link(until);
        try {
          return await send(link, role, method, argsFor());
        } catch (error) {
          if (!isPassing(error)) throw error;
          if (this.#clock.now() >= until) throw givenUp(error);
        }
        await this.#clock.sleep(pauseMs);
      }
    } finally {
      answered();
    }
  }

  #callNode(method: string, args: readonly unknown[]): Promise<unknown> {
    if (method !== 'write' && method !== 'delete') return this.call('streamingNode', method, () => args);
    return this.#once(method, args[0] as WriteRequest | DeleteRequest);
  }

  /** Writes under one id, however often it has to be said. */
  async #once(method: string, request: WriteRequest | DeleteRequest): Promise<unknown> {
    const sequence = this.#ids.begin();
    try {
      return await this.call('streamingNode', method, () => [{ ...request, request: this.#ids.of(sequence) }]);
    } catch (error) {
      throw codeOf(error) === 'unavailable' ? withOutcome(error as ElanusError) : error;
    } finally {
      this.#ids.end(sequence);
    }
  }
}

/**
 * The ids of this client's writes: a write that is repeated is recognised by its id, and applied once.
 * Source: RIFL (Lee et al., "Implementing linearizability at large scale and low latency", 2015).
 */
class RequestIds {
  readonly #client: string;
  /** In the order of their sequences. */
  readonly #pending = new Set<number>();
  #last = 0;

  constructor(client: string) {
    this.#client = client;
  }

  begin(): number {
    this.#last += 1;
    this.#pending.add(this.#last);
    return this.#last;
  }

  end(sequence: number): void {
    this.#pending.delete(sequence);
  }

  of(sequence: number): RequestId {
    const [firstPending = sequence] = this.#pending;
    return { client: this.#client, sequence, firstPending };
  }
}

/** A peer whose every method is a call. */
function stub(call: (method: string, args: readonly unknown[]) => Promise<unknown>): unknown {
  return new Proxy(
    {},
    {
      get:
        (_, method) =>
        (...args: readonly unknown[]) =>
          call(String(method), args),
    },
  );
}

/** A large batch is copied once and the copy is moved: the original stays for another try. */
function send(link: EngineLink, role: string, method: string, args: readonly unknown[]): Promise<unknown> {
  const { batch } = (args[0] ?? {}) as { readonly batch?: Uint8Array };
  if (method !== 'write' || link.kind === 'broadcast' || batch === undefined || batch.byteLength < MOVED_BYTES_MIN) {
    return link.calls.call(role, method, args);
  }
  const copy = batch.slice();
  return link.calls.call(role, method, [{ ...(args[0] as WriteRequest), batch: copy }], [copy.buffer]);
}

function givenUp(cause: unknown): ElanusError {
  const message = `No engine has answered within ${RETRY_MS_MAX / 1000} s: ${(cause as Error).message}`;
  return new ElanusError('unavailable', message, { cause });
}

/** A write that was given up may have been applied by an engine whose answer was lost. */
function withOutcome(error: ElanusError): ElanusError {
  const { message, details } = error;
  return new ElanusError('unavailable', message, { cause: error, details: { outcome: 'unknown', ...details } });
}
