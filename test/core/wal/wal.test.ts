import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../core/base/bytes.ts';
import { codeOf, ElanusError, toPlainError } from '../../../core/base/error.ts';
import { seededRandom } from '../../../core/base/random.ts';
import { LOG_ENTRY_BYTES_MAX, RECORD_BYTES_MAX } from '../../../core/model/limits.ts';
import { MemoryStore } from '../../../core/storage/memory-store.ts';
import { decodeLogBatch } from '../../../core/wal/batch.ts';
import { type Log, POSITION_START, type Position } from '../../../core/wal/log.ts';
import { MemoryLogStore } from '../../../core/wal/memory-log.ts';
import { objectLogStore } from '../../../core/wal/object-log.ts';
import { type CommittedBatch, Wal, type WalOptions } from '../../../core/wal/wal.ts';
import { FlakyStore } from '../../fakes/flaky-store.ts';
import { SimulatedClock, settle } from '../../fakes/simulated-clock.ts';

/** A log whose appends end when the test says so, in any way. */
class HeldLog implements Log {
  readonly entries: Uint8Array[] = [];
  readonly #ends: { resolve: (position: Position) => void; reject: (error: unknown) => void }[] = [];

  append(bytes: Uint8Array): Promise<Position> {
    this.entries.push(bytes);
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
  }

  /** How many records each entry holds. */
  get batches(): number[] {
    return this.entries.map((bytes) => decodeLogBatch(bytes).length);
  }

  async acknowledge(index: number): Promise<void> {
    this.#ends[index]!.resolve({ term: 1, index });
    await settle();
  }

  async fail(index: number, error: unknown): Promise<void> {
    this.#ends[index]!.reject(error);
    await settle();
  }

  read(): AsyncIterable<never> {
    throw new TypeError('This log is not read.');
  }

  truncate(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const unknown = new ElanusError('unavailable', 'Injected.', { details: { outcome: 'unknown' } });

function walOn(log: Log, options: Omit<Partial<WalOptions>, 'clock'> = {}, clock = new SimulatedClock()) {
  let last = 0n;
  const committed: CommittedBatch[] = [];
  const wal = new Wal(log, {
    clock,
    prepare: () => Promise.resolve(),
    stamp: () => ++last,
    onCommitted: (batch) => committed.push(batch),
    ...options,
  });
  return { wal, clock, committed };
}

function record(size = 1): Uint8Array {
  return new Uint8Array(size);
}

/** What a commit has come to so far. */
function watch(commit: Promise<unknown>): { state: string; error?: ReturnType<typeof toPlainError> } {
  const watched: { state: string; error?: ReturnType<typeof toPlainError> } = { state: 'waiting' };
  commit.then(
    () => {
      watched.state = 'committed';
    },
    (error: unknown) => {
      watched.error = toPlainError(error);
      watched.state = String(watched.error.details['outcome'] ?? watched.error.code);
    },
  );
  return watched;
}

describe('batches', () => {
  test('an idle channel writes at once; while an append is in flight the next batch gathers', async () => {
    const log = new HeldLog();
    const { wal } = walOn(log);
    void wal.commit(record());
    await settle();
    expect(log.batches).toEqual([1]);
    for (let at = 0; at < 5; at++) void wal.commit(record());
    await settle();
    expect(log.batches).toEqual([1]);
    await log.acknowledge(0);
    expect(log.batches).toEqual([1, 5]);
  });

  test('commits of one turn share a batch', async () => {
    const log = new HeldLog();
    const { wal } = walOn(log);
    for (let at = 0; at < 7; at++) void wal.commit(record());
    await settle();
    expect(log.batches).toEqual([7]);
  });

  test('a megabyte does not wait; four appends are in flight and no more', async () => {
    const log = new HeldLog();
    const { wal } = walOn(log);
    for (let at = 0; at < 12; at++) {
      void wal.commit(record(1 << 19));
      await settle();
    }
    expect(log.batches).toEqual([1, 2, 2, 2]);
    expect(wal.inFlight).toBe(4);
    await log.acknowledge(0);
    expect(log.batches).toEqual([1, 2, 2, 2, 2]);
  });

  test('a batch is never larger than a log entry may be', async () => {
    const log = new HeldLog();
    const { wal } = walOn(log);
    void wal.commit(record(1));
    void wal.commit(record((1 << 20) - 100));
    void wal.commit(record(RECORD_BYTES_MAX));
    for (let at = 0; at < 3; at++) {
      await settle();
      if (log.entries.length > at) await log.acknowledge(at);
    }
    for (const { byteLength } of log.entries) expect(byteLength).toBeLessThanOrEqual(LOG_ENTRY_BYTES_MAX);
    expect(log.batches.reduce((sum, count) => sum + count)).toBe(3);
  });

  test('with a latency to give, a batch waits that long for company', async () => {
    const log = new HeldLog();
    const { wal, clock } = walOn(log, { gatherMs: 20 });
    void wal.commit(record());
    await clock.advance(19);
    void wal.commit(record());
    expect(log.batches).toEqual([]);
    await clock.advance(1);
    expect(log.batches).toEqual([2]);
  });

  test('with a budget of writes no more are made, and nothing is lost', async () => {
    const log = new HeldLog();
    const { wal, clock } = walOn(log, { putsPerSecond: 4 });
    const commits: Promise<unknown>[] = [];
    for (let ms = 0; ms < 1_000; ms += 10) {
      commits.push(wal.commit(record()));
      await clock.advance(10);
      for (let at = 0; at < log.entries.length; at++) await log.acknowledge(at);
    }
    expect(log.entries.length).toBeLessThanOrEqual(5);
    expect(log.entries.length).toBeGreaterThanOrEqual(4);
    await clock.advance(250);
    await log.acknowledge(log.entries.length - 1);
    await Promise.all(commits);
    expect(log.batches.reduce((sum, count) => sum + count)).toBe(100);
  });
});

describe('timestamps and order', () => {
  test('timestamps grow in log order, and a frame is told before its writers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 30 }),
        async (sizes) => {
          const told: string[] = [];
          const log = await new MemoryLogStore().open('c', 1);
          const { wal } = walOn(log, {
            onCommitted: ({ records }) => told.push(...records.map(({ timestamp }) => `frame ${timestamp}`)),
          });
          const commits = sizes.map((size) =>
            wal.commit(record(size)).then(({ timestamp, position }) => {
              told.push(`writer ${timestamp}`);
              return { timestamp, position };
            }),
          );
          const done = await Promise.all(commits);
          expect(done.map(({ timestamp }) => timestamp)).toEqual(sizes.map((_, at) => BigInt(at + 1)));
          for (const { timestamp } of done) {
            expect(told.indexOf(`frame ${timestamp}`)).toBeLessThan(told.indexOf(`writer ${timestamp}`));
          }
          const entries = await Array.fromAsync(log.read(POSITION_START));
          const stamps = entries.flatMap(({ bytes }) => decodeLogBatch(bytes).map(({ timestamp }) => timestamp));
          expect(stamps).toEqual(done.map(({ timestamp }) => timestamp));
          expect(wal.lastStamped).toBe(BigInt(sizes.length));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('timestamps are prepared for all records of a batch before it closes, and may be taken away meanwhile', async () => {
    const log = new HeldLog();
    let available = 0;
    let next = 0n;
    let prepared = 0;
    const { wal } = walOn(log, {
      prepare: async (count) => {
        prepared++;
        // A read takes the first range away, as `skip` does.
        available = prepared === 1 ? 1 : count;
      },
      stamp: () => {
        if (available-- === 0) throw new ElanusError('internal', 'No timestamp is at hand.');
        return ++next;
      },
    });
    for (let at = 0; at < 3; at++) void wal.commit(record());
    await settle();
    expect(prepared).toBe(2);
    expect(decodeLogBatch(log.entries[0]!).map(({ timestamp }) => timestamp)).toEqual([2n, 3n, 4n]);
  });

  test('a read waits for what is in flight at or below its timestamp, and for nothing else', async () => {
    const log = new HeldLog();
    const { wal } = walOn(log);
    const big = (): Uint8Array => record(1 << 20);
    for (let at = 0; at < 3; at++) {
      void wal.commit(big());
      await settle();
    }
    const waits = [0n, 1n, 2n, 9n].map((upTo) => watch(wal.settled(upTo)));
    await settle();
    expect(waits.map(({ state }) => state)).toEqual(['committed', 'waiting', 'waiting', 'waiting']);
    await log.acknowledge(0);
    await log.acknowledge(1);
    expect(waits.map(({ state }) => state)).toEqual(['committed', 'committed', 'committed', 'waiting']);
    await log.acknowledge(2);
    expect(waits.map(({ state }) => state)).toEqual(['committed', 'committed', 'committed', 'committed']);
  });
});

describe('refusals and failures', () => {
  test('a record of no byte or too many is refused before anything is written', async () => {
    const log = new HeldLog();
    const { wal } = walOn(log);
    for (const size of [0, RECORD_BYTES_MAX + 1]) {
      await expect(wal.commit(record(size))).rejects.toEqual(expect.objectContaining({ code: 'invalid' }));
    }
    await settle();
    expect(log.entries).toEqual([]);
  });

  test('what waits is bounded, in bytes and in number', async () => {
    for (const [size, count] of [
      [1, 20_000],
      [4 << 20, 20],
    ] as const) {
      const log = new HeldLog();
      const { wal } = walOn(log);
      const bytes = record(size);
      const commits = Array.from({ length: count }, () => watch(wal.commit(bytes)));
      await settle();
      const refused = commits.filter(({ error }) => error?.code === 'overloaded');
      expect(refused.length).toBeGreaterThan(0);
      for (const { state } of refused) expect(state).toBe('not-written');
      expect(log.entries.length).toBeGreaterThan(0);
    }
  });

  test('after a failed append what was sent is as the log says, and what waited was not written', async () => {
    const log = new HeldLog();
    const { wal, committed } = walOn(log);
    const first = watch(wal.commit(record(1 << 20)));
    await settle();
    const second = watch(wal.commit(record(1 << 20)));
    await settle();
    const waiting = watch(wal.commit(record()));
    await settle();
    expect(log.entries.length).toBe(2);
    await log.fail(0, unknown);
    await log.fail(1, unknown);
    expect([first.state, second.state, waiting.state]).toEqual(['unknown', 'unknown', 'not-written']);
    expect(waiting.error?.code).toBe('closed');
    expect(wal.isBroken).toBe(true);
    expect(await wal.commit(record()).catch(codeOf)).toBe('closed');
    expect(await wal.settled(0n).catch(codeOf)).toBe('unavailable');
    expect(committed).toEqual([]);
    await wal.close();
  });

  test('a full store refuses what was sent, and the WAL goes on', async () => {
    const log = new HeldLog();
    const { wal, committed } = walOn(log);
    const refused = watch(wal.commit(record()));
    await settle();
    const waiting = watch(wal.commit(record()));
    await log.fail(0, new ElanusError('quota', 'Injected.', { details: { outcome: 'not-written' } }));
    expect([refused.error?.code, refused.state]).toEqual(['quota', 'not-written']);
    expect(wal.isBroken).toBe(false);
    expect(log.entries.length).toBe(2);
    await log.acknowledge(1);
    expect(waiting.state).toBe('committed');
    expect(committed.length).toBe(1);
    await wal.settled(5n);
    await wal.close();
  });

  test('a fenced owner tells its writers so', async () => {
    const logs = new MemoryLogStore();
    const { wal } = walOn(await logs.open('c', 1));
    await wal.commit(record());
    await logs.open('c', 2);
    expect(await wal.commit(record()).catch(codeOf)).toBe('fenced');
    expect(await wal.commit(record()).catch(codeOf)).toBe('fenced');
  });

  test('without timestamps nothing is written, and later it is', async () => {
    const log = new HeldLog();
    let isDown = true;
    const { wal } = walOn(log, {
      prepare: async () => {
        if (isDown) throw new ElanusError('unavailable', 'The coordinator does not answer.');
      },
    });
    const refused = watch(wal.commit(record()));
    await settle();
    expect(refused.state).toBe('not-written');
    expect(wal.isBroken).toBe(false);
    isDown = false;
    void wal.commit(record());
    await settle();
    expect(log.batches).toEqual([1]);
  });

  test('an owner that cannot take in a durable frame is broken', async () => {
    const log = await new MemoryLogStore().open('c', 1);
    const { wal } = walOn(log, {
      onCommitted: () => {
        throw new ElanusError('corrupt', 'It does not decode.');
      },
    });
    expect(await wal.commit(record()).catch(codeOf)).toBe('corrupt');
    expect(wal.isBroken).toBe(true);
    await wal.close();
  });

  test('closing waits for all that was taken, and takes no more', async () => {
    const log = new HeldLog();
    const { wal } = walOn(log);
    const commits = [watch(wal.commit(record()))];
    await settle();
    commits.push(watch(wal.commit(record())));
    const closing = watch(wal.close());
    expect(await wal.commit(record()).catch(codeOf)).toBe('closed');
    await log.acknowledge(0);
    expect(closing.state).toBe('waiting');
    await log.acknowledge(1);
    expect(closing.state).toBe('committed');
    expect(commits.map(({ state }) => state)).toEqual(['committed', 'committed']);
  });
});

test('over a store that loses answers, each commit is in the log or says the truth about it', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const clock = new SimulatedClock({ auto: true });
    const random = seededRandom(seed);
    const store = new MemoryStore();
    const rates = { before: 0.05, after: 0.05, lost: 0.05, late: 0.05, overloaded: 0.05 };
    const flaky = new FlakyStore(store, { clock, random, rates });
    const { wal } = walOn(await objectLogStore(flaky, { clock, random }).open('c', 1), {}, clock);
    if (seed % 4 === 0) flaky.failAt(flaky.calls + 10 + (seed % 7), 'crash-before');
    const commits = Array.from({ length: 60 }, async (_, at) => {
      await clock.sleep(at * 40);
      return watch(wal.commit(encodeUtf8(`record ${at};`)));
    });
    await clock.sleep(60_000);
    const states = (await Promise.all(commits)).map(({ state }) => state);
    const log = await objectLogStore(store, { clock, random }).open('c', 2);
    let found = '';
    for await (const { bytes } of log.read(POSITION_START)) {
      for (const { bytes: own } of decodeLogBatch(bytes)) found += new TextDecoder().decode(own);
    }
    for (const [at, state] of states.entries()) {
      if (state === 'committed') expect(found, `seed ${seed}`).toContain(`record ${at};`);
      if (state === 'not-written') expect(found, `seed ${seed}`).not.toContain(`record ${at};`);
    }
    if (seed % 4 !== 0) expect(states, `seed ${seed}`).not.toContain('waiting');
  }
});
