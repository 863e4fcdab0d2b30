import type { DataSet } from '../data-set.ts';
import type { BuiltIndex, System } from '../system.ts';

/** What a bench asks of systems that run in another host: one request, one reply, as plain data. */
export type RemoteRequest =
  | { readonly ask: 'build'; readonly system: string }
  | { readonly ask: 'answers'; readonly id: number; readonly knob: number }
  | {
      readonly ask: 'time';
      readonly id: number;
      readonly knob: number;
      readonly queries: number;
      readonly repetitions: number;
    }
  | { readonly ask: 'free'; readonly id: number };

/** The reply to `build`. */
export interface RemoteIndex {
  readonly id: number;
  readonly buildSeconds: number;
  readonly memoryBytes: number | null;
}

/** What of a set is told in so many words; its vectors come as bytes. */
export type SetWords = Pick<DataSet, 'name' | 'metric' | 'dimension' | 'size' | 'queryCount'>;

/** The other side: it holds one set, and the indexes that were built of it. */
export class RemoteBench {
  readonly #builders: ReadonlyMap<string, (set: DataSet) => Promise<BuiltIndex>>;
  readonly #built: (BuiltIndex | undefined)[] = [];
  #set: DataSet | undefined;

  constructor(builders: ReadonlyMap<string, (set: DataSet) => Promise<BuiltIndex>>) {
    this.#builders = builders;
  }

  use(words: SetWords, rows: Float32Array, queries: Float32Array): void {
    this.#set = { ...words, rows, queries, truth: new Int32Array(0) };
  }

  async answer(request: RemoteRequest): Promise<unknown> {
    if (request.ask === 'build') return await this.#build(request.system);
    const index = this.#built[request.id];
    if (index === undefined) throw new Error(`There is no index ${request.id}.`);
    if (request.ask === 'answers') return Array.from(await index.answers(request.knob));
    if (request.ask === 'time') return await index.time(request.knob, request.queries, request.repetitions);
    this.#built[request.id] = undefined;
    return await index.free();
  }

  async #build(system: string): Promise<RemoteIndex> {
    const builder = this.#builders.get(system);
    if (builder === undefined || this.#set === undefined) throw new Error(`${system} cannot be built here.`);
    const index = await builder(this.#set);
    const id = this.#built.push(index) - 1;
    return { id, buildSeconds: index.buildSeconds ?? 0, memoryBytes: index.memoryBytes ?? null };
  }
}

/** How a request gets there. */
export type Ask = (request: RemoteRequest) => Promise<unknown>;

/**
 * A system in another host. Where no clock runs while code does (`isTimedHere`: workerd), times are taken on this side,
 * and the time of a request that does nothing is taken off.
 */
export function remoteSystem(
  system: Pick<System, 'name' | 'knobs' | 'isSlow'>,
  ask: Ask,
  { isTimedHere = false }: { isTimedHere?: boolean } = {},
): System {
  const timed = async (request: RemoteRequest): Promise<{ value: unknown; seconds: number }> => {
    const began = performance.now();
    const value = await ask(request);
    return { value, seconds: (performance.now() - began) / 1000 };
  };
  return {
    ...system,
    async build() {
      const { value, seconds } = await timed({ ask: 'build', system: system.name });
      const { id, buildSeconds, memoryBytes } = value as RemoteIndex;
      return {
        buildSeconds: isTimedHere ? seconds : buildSeconds,
        memoryBytes: memoryBytes ?? undefined,
        answers: async (knob) => Int32Array.from((await ask({ ask: 'answers', id, knob })) as number[]),
        async time(knob, queries, repetitions) {
          const whole = await timed({ ask: 'time', id, knob, queries, repetitions });
          if (!isTimedHere) return whole.value as number;
          const nothing = await timed({ ask: 'time', id, knob, queries: 0, repetitions: 1 });
          return Math.max(1e-6, whole.seconds - nothing.seconds);
        },
        free: async () => void (await ask({ ask: 'free', id })),
      };
    },
  };
}
