import { codeOf, type ElanusError } from '../../core/base/error.ts';
import { type Random, seededRandom } from '../../core/base/random.ts';
import { MemoryStore } from '../../core/storage/memory-store.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { type Log, type LogStore, nextPosition, POSITION_START, type Position } from '../../core/wal/log.ts';
import { LOG_RULES, type LogRules } from '../../core/wal/log-rules.ts';
import { collectLogGarbage, objectLogStore } from '../../core/wal/object-log.ts';
import { LimitedStore } from '../fakes/limited-store.ts';
import { drawWeather, Network } from './network.ts';
import { between, chance, Scheduler } from './scheduler.ts';

export interface SimulationOptions {
  /** The protocol's rules, or rules of which one is broken. */
  readonly rules?: LogRules;
  /** With R2's limits: one write a second to one key, six requests at once. */
  readonly isLimited?: boolean;
}

export interface SimulationResult {
  /** What went wrong; empty if nothing did. */
  readonly violations: readonly string[];
  readonly acknowledged: number;
  /** Owners that opened the log and read it. */
  readonly owners: number;
  /** Names the run: the same seed gives the same. */
  readonly fingerprint: string;
}

const CHANNEL = 'c';
const CHECKPOINT = 'checkpoint';
const RUN_MS = 3_000;

interface Checkpoint {
  readonly term: number;
  readonly position: Position;
  /** Everything below the position, in order. */
  readonly values: readonly number[];
}

/** What all processes of one run share, and the oracle that watches them. */
class World {
  readonly scheduler = new Scheduler();
  readonly random: Random;
  readonly store: ObjectStore;
  readonly rules: LogRules;
  readonly violations: string[] = [];
  readonly acknowledged = new Map<number, number>();
  /** What an owner was told is certainly not in the log. */
  readonly notWritten = new Set<number>();
  readonly weather: ReturnType<typeof drawWeather>;
  owners = 0;
  nextTerm = 1;
  nextValue = 1;
  /** The longest sequence that any owner or reader has seen. */
  #longest: readonly number[] = [];
  /** What owners saw when they became active, by term. */
  readonly #replays: { readonly term: number; readonly values: ReadonlySet<number> }[] = [];

  constructor(seed: number, { rules = LOG_RULES, isLimited = false }: SimulationOptions) {
    this.random = seededRandom(seed);
    const store = new MemoryStore();
    this.store = isLimited ? new LimitedStore(store, { clock: this.scheduler }) : store;
    this.rules = rules;
    this.weather = drawWeather(this.random);
  }

  acknowledge(value: number, term: number): void {
    this.acknowledged.set(value, term);
    for (const replay of this.#replays) {
      if (replay.term > term && !replay.values.has(value)) {
        this.violations.push(`term ${term} acknowledged ${value} after term ${replay.term} began without it`);
      }
    }
  }

  /** A whole sequence as somebody sees it; `must` are the values acknowledged before the look began. */
  saw(who: string, values: readonly number[], must: readonly number[]): void {
    const seen = new Set(values);
    if (seen.size !== values.length) this.violations.push(`${who} sees a value twice`);
    for (const value of this.notWritten) if (seen.has(value)) this.violations.push(`${who} sees ${value}, not written`);
    for (const value of must) if (!seen.has(value)) this.violations.push(`${who} misses ${value}, acknowledged before`);
    const [short, long] = values.length < this.#longest.length ? [values, this.#longest] : [this.#longest, values];
    if (!short.every((value, at) => value === long[at])) this.violations.push(`${who} sees another order than before`);
    this.#longest = long;
  }

  activated(term: number, values: readonly number[]): void {
    this.owners += 1;
    this.#replays.push({ term, values: new Set(values) });
  }
}

/** Runs owners that compete, stall and crash, and readers without a claim, over a store in bad weather. */
export async function simulateLog(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const world = new World(seed, options);
  const owners = between(world.random, 2, 7);
  for (let owner = 0; owner < owners; owner++) {
    world.scheduler.at(
      between(world.random, 0, RUN_MS),
      () => void new Owner(world).live().catch((error) => unexpected(world, error)),
    );
  }
  const readers = between(world.random, 0, 3);
  for (let reader = 0; reader < readers; reader++) {
    world.scheduler.at(
      between(world.random, 0, RUN_MS),
      () => void readWithoutClaim(world).catch((error) => unexpected(world, error)),
    );
  }
  await world.scheduler.run(RUN_MS);
  // In calm weather at the end, one more owner must see everything.
  await settleAccounts(world);
  return {
    violations: world.violations,
    acknowledged: world.acknowledged.size,
    owners: world.owners,
    fingerprint: `${world.acknowledged.size}/${world.owners}/${world.nextValue}/${world.random()}`,
  };
}

function unexpected(world: World, error: unknown): void {
  const allowed = ['unavailable', 'overloaded', 'fenced', 'conflict', 'stale', 'closed'];
  if (!allowed.includes(codeOf(error))) world.violations.push(`an error that should not be: ${String(error)}`);
}

async function settleAccounts(world: World): Promise<void> {
  const must = [...world.acknowledged.keys()];
  const logs = logsOf(world, world.store);
  const look = async (): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const log = await logs.open(CHANNEL, world.nextTerm++);
        const values = await replay(log, (await readCheckpoint(world.store)).checkpoint);
        return world.saw('the last owner', values, must);
      } catch (error) {
        // Others that are still on their way may use up the store's rate.
        if (codeOf(error) !== 'overloaded' || attempt === 8) throw error;
        await world.scheduler.sleep(1_100 * attempt + 130);
      }
    }
  };
  let failure: unknown;
  void look().catch((error: unknown) => {
    failure = error;
  });
  await world.scheduler.run(Number.POSITIVE_INFINITY);
  if (failure !== undefined) world.violations.push(`the last owner could not open: ${String(failure)}`);
}

/** One process that owns the log for a while. */
class Owner {
  readonly #world: World;
  readonly #network: Network;
  readonly #logs: LogStore;

  constructor(world: World) {
    this.#world = world;
    this.#network = new Network(world.store, world.scheduler, world.random, world.weather);
    this.#logs = logsOf(world, this.#network);
  }

  async live(): Promise<void> {
    const { random, scheduler } = this.#world;
    if (chance(random, 30)) scheduler.at(scheduler.now() + between(random, 20, 1_500), () => this.#crash());
    const term = this.#world.nextTerm++;
    // A claim may be old by the time at which it is used.
    await scheduler.sleep(between(random, 0, 200));
    stallSoon(this.#world, this.#network);
    const log = await this.#logs.open(CHANNEL, term);
    const must = [...this.#world.acknowledged.keys()];
    const { checkpoint, version } = await readCheckpoint(this.#network);
    const values = await replay(log, checkpoint);
    this.#world.saw(`term ${term}`, values, must);
    this.#world.activated(term, values);
    await this.#serve(log, term, { checkpoint, version, values });
  }

  async #serve(
    log: Log,
    term: number,
    start: { checkpoint: Checkpoint; version: Awaited<ReturnType<typeof readCheckpoint>>['version']; values: number[] },
  ): Promise<void> {
    const { random, scheduler } = this.#world;
    let { version } = start;
    const values = [...start.values];
    let next: Position = { term, index: 0 };
    let ended = false;
    const steps = between(random, 3, 25);
    for (let step = 0; step < steps && !ended; step++) {
      const burst = between(random, 1, 7);
      const appends = Array.from({ length: burst }, async () => {
        const value = this.#world.nextValue++;
        const position = await log.append(encode(value)).catch((error: unknown) => {
          const { outcome } = (error as ElanusError).details;
          if (outcome === 'not-written') this.#world.notWritten.add(value);
          else if (outcome !== 'unknown') this.#world.violations.push(`${value} has no outcome: ${String(error)}`);
          throw error;
        });
        this.#world.acknowledge(value, term);
        values.push(value);
        next = nextPosition(position);
      });
      for (const outcome of await Promise.allSettled(appends)) if (outcome.status === 'rejected') ended = true;
      if (ended) return;
      if (chance(random, 15)) this.#network.stall(between(random, 50, 600));
      if (chance(random, 30)) {
        const folded: Checkpoint = { term, position: next, values: [...values] };
        version = await writeCheckpoint(this.#network, folded, version, term);
        if (chance(random, 80)) await log.truncate(next);
        if (chance(random, 40)) {
          await collectLogGarbage(this.#network, CHANNEL, { clock: scheduler, random }, this.#world.rules);
        }
      }
      await scheduler.sleep(between(random, 0, 60));
    }
    if (chance(random, 50)) await log.close();
  }

  #crash(): void {
    this.#network.isCrashed = true;
  }
}

/** Often nothing; else a process stalls in the middle of what it is about to do. */
function stallSoon({ random, scheduler }: World, network: Network): void {
  if (!chance(random, 25)) return;
  const ms = between(random, 50, 800);
  scheduler.at(scheduler.now() + between(random, 5, 80), () => network.stall(ms));
}

function logsOf(world: World, store: ObjectStore): LogStore {
  return objectLogStore(store, { clock: world.scheduler, random: world.random }, world.rules);
}

async function readWithoutClaim(world: World): Promise<void> {
  const network = new Network(world.store, world.scheduler, world.random, world.weather);
  const reader = logsOf(world, network).reader(CHANNEL);
  for (let look = 0; look < 5; look++) {
    const must = [...world.acknowledged.keys()];
    const { checkpoint } = await readCheckpoint(network);
    const values = [...checkpoint.values];
    stallSoon(world, network);
    try {
      for await (const { bytes } of reader.read(checkpoint.position)) values.push(decode(bytes));
      world.saw('a reader', values, must);
    } catch (error) {
      if (codeOf(error) !== 'stale') throw error;
    }
    await world.scheduler.sleep(between(world.random, 10, 300));
  }
}

async function replay(log: Log, checkpoint: Checkpoint): Promise<number[]> {
  const values = [...checkpoint.values];
  for await (const { bytes } of log.read(checkpoint.position)) values.push(decode(bytes));
  return values;
}

async function readCheckpoint(
  store: ObjectStore,
): Promise<{ checkpoint: Checkpoint; version: Awaited<ReturnType<ObjectStore['create']>> | undefined }> {
  const object = await store.read(CHECKPOINT);
  if (object === undefined)
    return { checkpoint: { term: 0, position: POSITION_START, values: [] }, version: undefined };
  return { checkpoint: JSON.parse(new TextDecoder().decode(object.bytes)) as Checkpoint, version: object.version };
}

/** Commits a checkpoint as a manifest is committed: by compare-and-swap, so that only the newest reader of it wins. */
async function writeCheckpoint(
  store: ObjectStore,
  checkpoint: Checkpoint,
  version: Awaited<ReturnType<ObjectStore['create']>> | undefined,
  term: number,
): Promise<Awaited<ReturnType<ObjectStore['create']>>> {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...checkpoint, term }));
  return version === undefined ? store.create(CHECKPOINT, bytes) : store.replace(CHECKPOINT, bytes, version);
}

function encode(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function decode(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
