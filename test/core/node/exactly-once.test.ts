import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../../core/base/random.ts';
import type { Database } from '../../../core/client/database.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { decodeLogBatch } from '../../../core/wal/batch.ts';
import { POSITION_START } from '../../../core/wal/log.ts';
import { objectLogStore } from '../../../core/wal/object-log.ts';
import { decodeRecord } from '../../../core/wal/record.ts';
import type { Fault } from '../../fakes/flaky-store.ts';
import { SimulatedClock, settle } from '../../fakes/simulated-clock.ts';
import { type Process, RetryingClient, startProcess, untilCrash } from './retrying-client.ts';

/*
 * Clients that send every write whose outcome they do not know again, under the same id. The oracle is the order that
 * the channel itself told: each write, carried out once at the timestamp of its answer, must give the rows that are
 * there, and each delete by filter must have counted what was there at its time. A write that was carried out twice
 * shows, because the second time lies after another client's write of the same rows; and the log holds one record of each.
 */

const place = { collectionName: 'c' };
const KEYS = 6;

interface Operation {
  readonly run: (db: Database) => Promise<unknown>;
  /** Carries it out on the rows, key → n; gives how many rows a delete counts. */
  readonly effect: (rows: Map<number, number>) => number | undefined;
}

interface Done {
  readonly operation: Operation;
  readonly timestamp: bigint;
  readonly deleteCount: number;
}

function write(how: 'insert' | 'upsert', ids: readonly number[], n: number): Operation {
  return {
    run: (db) => db[how]({ ...place, data: ids.map((id) => ({ id, n, vector: [n, id] })) }),
    effect: (rows) => {
      for (const id of ids) rows.set(id, n);
      return undefined;
    },
  };
}

function removeKeys(ids: readonly number[]): Operation {
  return {
    run: (db) => db.delete({ ...place, ids }),
    effect: (rows) => {
      for (const id of ids) rows.delete(id);
      return ids.length;
    },
  };
}

function removeBelow(n: number): Operation {
  return {
    run: (db) => db.delete({ ...place, filter: `n < ${n}` }),
    effect: (rows) => {
      const doomed = [...rows].filter(([, value]) => value < n);
      for (const [id] of doomed) rows.delete(id);
      return doomed.length;
    },
  };
}

/** What the rows must be, by the answers alone. */
function expectedRows(done: readonly Done[], label: string): [number, number][] {
  const rows = new Map<number, number>();
  const inOrder = [...done].sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  expect(new Set(inOrder.map(({ timestamp }) => timestamp)).size, `${label}: one record each`).toBe(done.length);
  for (const { operation, deleteCount } of inOrder) {
    const counted = operation.effect(rows);
    if (counted !== undefined) expect(deleteCount, label).toBe(counted);
  }
  return [...rows].sort(([a], [b]) => a - b);
}

/** Every request that the log has ever held; nothing truncates it here. */
async function loggedRequests(objects: MemoryStore, clock: SimulatedClock): Promise<string[]> {
  const found: string[] = [];
  const log = objectLogStore(objects, { clock, random: seededRandom(1) }).reader('1-0');
  for await (const { bytes } of log.read(POSITION_START)) {
    for (const record of decodeLogBatch(bytes)) {
      const { request } = decodeRecord(record.bytes);
      if (request !== undefined) found.push(`${request.client}/${request.sequence}`);
    }
  }
  return found;
}

/** One record for each write that was answered, and the rows that follow from the answers. */
async function expectOnce(
  { objects, clock }: { readonly objects: MemoryStore; readonly clock: SimulatedClock },
  done: readonly Done[],
  label: string,
): Promise<void> {
  const logged = await loggedRequests(objects, clock);
  expect(logged.length, `${label}: ${logged.sort().join(' ')}`).toBe(done.length);
  const expected = expectedRows(done, label);
  expect(await storedRows(objects, clock), label).toEqual(expected);
}

async function storedRows(objects: MemoryStore, clock: SimulatedClock): Promise<[number, number][]> {
  const process = await startProcess(objects, clock);
  const client = new RetryingClient(
    quiet(() => process),
    clock,
    9_999,
  );
  let rows: [number, number][] = [];
  await client.run(async (db) => {
    const found = await db.query({ ...place, filter: 'id >= 0', outputFields: ['n'], consistencyLevel: 'Strong' });
    rows = found.map((row) => [Number(row['id']), Number(row['n'])]);
  });
  await process.running.cluster.close();
  return rows;
}

function quiet(process: () => Process): ConstructorParameters<typeof RetryingClient>[0] {
  return { process, fate: () => 'arrives', beforeRetry: async () => undefined };
}

/** Whether it succeeds is all the same; a host that dies in it gives no answer. */
async function flushAt({ running, flaky }: Process): Promise<void> {
  const address = { channel: '1-0', collectionId: 1, schemaVersion: 1 };
  const flushing = running.cluster.streamingNode('1-0').flush(address);
  await untilCrash(
    flaky,
    flushing.catch(() => undefined),
  );
}

async function create(objects: MemoryStore, clock: SimulatedClock): Promise<void> {
  const process = await startProcess(objects, clock);
  const client = new RetryingClient(
    quiet(() => process),
    clock,
    9_998,
  );
  await client.run((db) => db.createCollection({ ...place, dimension: 2, metricType: 'L2' }));
  await process.running.cluster.close();
}

/** One seed's run: three clients, hosts that die and take over from one another, answers lost, calls delivered twice. */
class Run {
  readonly objects = new MemoryStore();
  readonly clock = new SimulatedClock({ auto: true });
  readonly done: Done[] = [];
  readonly #random: Random;
  #process: Process | undefined;
  readonly #others: Process[] = [];
  readonly #clients: RetryingClient[];
  #started = 0;
  /** Values grow, so that each tells which write it is of. */
  #serial = 0;
  trouble = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const network = {
      process: () => this.#current(),
      fate: () => this.#fate(),
      beforeRetry: () => this.#beforeRetry(),
    };
    this.#clients = [1, 2, 3].map((number) => new RetryingClient(network, this.clock, number));
  }

  async start(): Promise<void> {
    await create(this.objects, this.clock);
    await this.#takeOver();
  }

  /** The clients write beside one another; then one of them, alone, deletes by a filter: that is not atomic. */
  async round(): Promise<void> {
    await Promise.all(this.#clients.map((client) => this.#writes(client)));
    const [client] = this.#clients;
    if (client !== undefined) await this.#carryOut(client, removeBelow(this.#serial - this.#below(6)));
  }

  async #writes(client: RetryingClient): Promise<void> {
    const atOnce = this.#below(2) === 0;
    const running: Promise<void>[] = [];
    for (let at = 0; at < 3; at++) {
      const one = this.#carryOut(client, this.#operation());
      if (atOnce) running.push(one);
      else await one;
      if (this.#below(6) === 0) await flushAt(this.#current());
    }
    await Promise.all(running);
  }

  async #carryOut(client: RetryingClient, operation: Operation): Promise<void> {
    const answer = await client.run(operation.run);
    if (answer === undefined) throw new Error('A write has an answer of its channel.');
    this.done.push({ operation, ...answer });
  }

  async close(): Promise<void> {
    for (const { flaky } of [...this.#others, this.#current()]) flaky.crash('reject');
    await settle();
  }

  #current(): Process {
    if (this.#process === undefined) throw new Error('No process has started.');
    return this.#process;
  }

  #below(bound: number): number {
    return Math.floor((this.#random() / 2 ** 32) * bound);
  }

  #fate(): 'arrives' | 'answer lost' | 'twice' {
    const draw = this.#below(10);
    if (draw > 2) return 'arrives';
    this.trouble += 1;
    return draw === 0 ? 'twice' : 'answer lost';
  }

  /** Somebody else takes over, dead or alive; or the same host is asked again; others may come in between. */
  async #beforeRetry(): Promise<void> {
    const current = this.#current();
    const draw = this.#below(4);
    if (draw === 0) current.flaky.crash('reject');
    if (current.flaky.hasCrashed || draw === 1) await this.#takeOver();
    if (draw === 2) void flushAt(this.#current());
    // A host that was left alive may come back.
    if (draw === 3 && this.#below(3) === 0) {
      const back = this.#others.find(({ flaky }) => !flaky.hasCrashed);
      if (back !== undefined) this.#process = back;
    }
    for (let turns = this.#below(20); turns > 0; turns--) await settle();
  }

  async #takeOver(): Promise<void> {
    const next = await startProcess(this.objects, this.clock, ++this.#started);
    // Now and then the next host dies soon too, in the middle of whatever it does.
    if (this.#below(2) === 0)
      next.flaky.failAt(3 + this.#below(60), this.#below(2) === 0 ? 'crash-before' : 'crash-after');
    if (this.#process !== undefined) this.#others.push(this.#process);
    this.#process = next;
  }

  #operation(): Operation {
    const ids = [...new Set([this.#below(KEYS), this.#below(KEYS)])];
    this.#serial += 1;
    const draw = this.#below(3);
    if (draw === 0) return write('insert', ids, this.#serial);
    return draw === 1 ? write('upsert', ids, this.#serial) : removeKeys(ids);
  }
}

test('writes that are sent again are carried out once, whoever owns the channel by then', async () => {
  let trouble = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const run = new Run(seed);
    await run.start();
    for (let round = 0; round < 3; round++) await run.round();
    expect(run.done.length).toBe(30);
    await expectOnce(run, run.done, `seed ${seed}`);
    await run.close();
    trouble += run.trouble;
  }
  expect(trouble).toBeGreaterThan(300);
});

const HISTORY: readonly (Operation | 'flush')[] = [
  write('insert', [0, 1, 2], 10),
  removeKeys([1]),
  'flush',
  write('upsert', [0, 3], 20),
  removeBelow(15),
  'flush',
  write('insert', [4], 5),
  removeBelow(8),
];

/** What somebody else writes between the failure and its repetition: every row that the history writes. */
const RIVAL: Operation = write('upsert', [0, 1, 2, 3, 4], 1);

/** One fault at one store call; then another host takes over, a rival writes and flushes there, a third is asked again. */
async function historyWithFault(
  number: number,
  fault: Fault | undefined,
): Promise<{ calls: number; retried: boolean }> {
  const objects = new MemoryStore();
  const clock = new SimulatedClock({ auto: true });
  await create(objects, clock);
  let process = await startProcess(objects, clock, number);
  if (fault !== undefined) process.flaky.failAt(number, fault);
  const done: Done[] = [];
  let retried = false;
  const first = process;
  const client = new RetryingClient(
    {
      process: () => process,
      fate: () => 'arrives',
      beforeRetry: async () => {
        if (retried) return;
        retried = true;
        process = await startProcess(objects, clock, number + 1);
        const answer = await new RetryingClient(
          quiet(() => process),
          clock,
          77,
        ).run(RIVAL.run);
        if (answer !== undefined) done.push({ operation: RIVAL, ...answer });
        // What the next host knows of the request, it knows from the manifest alone.
        await flushAt(process);
        process = await startProcess(objects, clock, number + 2);
      },
    },
    clock,
    1,
  );
  for (const step of HISTORY) {
    if (step === 'flush') {
      // A flush that fails is made up for by the next; a host that died in it is left at the next write.
      await flushAt(process);
      continue;
    }
    const answer = await client.run(step.run);
    if (answer !== undefined) done.push({ operation: step, ...answer });
  }
  const label = `"${fault}" at call ${number}`;
  const { calls } = first.flaky;
  first.flaky.crash('reject');
  await settle();
  await expectOnce({ objects, clock }, done, label);
  return { calls, retried };
}

const FAULTS: readonly Fault[] = ['after', 'lost', 'late', 'overloaded', 'crash-before', 'crash-after'];

test.each(FAULTS)('"%s" at any store call, a rival and a takeover: every write is there once', async (fault) => {
  const { calls } = await historyWithFault(0, undefined);
  expect(calls).toBeGreaterThan(20);
  let retries = 0;
  for (let number = 1; number <= calls; number++) {
    const { retried } = await historyWithFault(number, fault);
    if (retried) retries += 1;
  }
  // Only what a host cannot settle by itself comes to the client; a death always does.
  if (fault.startsWith('crash')) expect(retries).toBeGreaterThan(calls / 2);
});
