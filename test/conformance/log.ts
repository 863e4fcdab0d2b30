import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../core/base/bytes.ts';
import { codeOf, type ElanusError } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import { LOG_ENTRY_BYTES_MAX } from '../../core/model/limits.ts';
import {
  comparePositions,
  type Log,
  type LogEntry,
  type LogReader,
  type LogStore,
  nextPosition,
  POSITION_START,
  type Position,
} from '../../core/wal/log.ts';

/** A host of logs to be tested. */
export interface LogHostUnderTest {
  readonly store: LogStore;
  readonly close?: () => Promise<void>;
}

const fenced = expect.objectContaining({ code: 'fenced' });
const closed = expect.objectContaining({ code: 'closed' });
const invalid = expect.objectContaining({ code: 'invalid' });
const truncated = expect.objectContaining({
  code: 'stale',
  details: expect.objectContaining({ reason: 'truncated' }),
});

let channels = 0;

function entry(number: number): Uint8Array {
  return encodeUtf8(`entry ${number}`);
}

function text({ bytes }: LogEntry): string {
  return decodeUtf8(bytes);
}

async function collect(log: Pick<LogReader, 'read'>, from: Position = POSITION_START): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const found of log.read(from)) entries.push(found);
  return entries;
}

async function textsOf(log: Pick<LogReader, 'read'>, from: Position = POSITION_START): Promise<string[]> {
  return (await collect(log, from)).map(text);
}

async function appendAll(log: Log, from: number, count: number): Promise<Position[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => log.append(entry(from + at))));
}

function texts(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `entry ${from + at}`);
}

/** What an append ended in; a rejection must say what is known of the entry. */
async function outcomeOf(append: Promise<Position>): Promise<'acknowledged' | 'not-written' | 'unknown'> {
  try {
    await append;
    return 'acknowledged';
  } catch (error) {
    const { outcome } = (error as ElanusError).details;
    expect(['not-written', 'unknown'], String(error)).toContain(outcome);
    return outcome as 'not-written' | 'unknown';
  }
}

/**
 * The contract of `LogStore`, `Log` and `LogReader`, as tests. Every implementation runs it, over every store, in its
 * real host. `make` is called once; each test keeps to a channel of its own.
 */
export function logSuite(name: string, make: () => Promise<LogHostUnderTest>): void {
  describe(`log: ${name}`, () => {
    let host: LogHostUnderTest;
    let logs: LogStore;
    let channel: string;
    const open = (term: number): Promise<Log> => logs.open(channel, term);
    const reader = (): LogReader => logs.reader(channel);
    const channelTest = (claim: string, run: () => Promise<void>): void =>
      test(claim, async () => {
        channel = `log-${channels++}`;
        await run();
      });

    beforeAll(async () => {
      host = await make();
      logs = host.store;
    });
    afterAll(() => host.close?.());

    describe('appends and reads', () => {
      channelTest('a channel that was never opened is empty', async () => {
        expect(await textsOf(reader())).toEqual([]);
        expect(await reader().truncatedTo()).toEqual(POSITION_START);
        expect(await textsOf(await open(1))).toEqual([]);
      });

      channelTest('entries come back as they were given, in order, from any position', async () => {
        const log = await open(3);
        const positions = await appendAll(log, 0, 6);
        expect(positions).toEqual(Array.from({ length: 6 }, (_, index) => ({ term: 3, index })));
        for (const log_ of [log, reader()]) {
          expect((await collect(log_)).map(({ position }) => position)).toEqual(positions);
          for (const from of positions) expect(await textsOf(log_, from)).toEqual(texts(from.index, 6 - from.index));
          expect(await textsOf(log_, nextPosition(positions.at(-1)!))).toEqual([]);
          expect(await textsOf(log_, { term: 4, index: 0 })).toEqual([]);
          expect(await textsOf(log_, { term: 2, index: 99 })).toEqual(texts(0, 6));
        }
      });

      channelTest('appends made at once resolve in the order of the calls', async () => {
        const log = await open(1);
        const order: number[] = [];
        const appends = Array.from({ length: 30 }, (_, at) =>
          log.append(entry(at)).then((position) => {
            order.push(at);
            return position.index;
          }),
        );
        const indexes = await Promise.all(appends);
        expect(indexes).toEqual(indexes.map((_, at) => at));
        expect(order).toEqual(indexes);
        expect(await textsOf(reader())).toEqual(texts(0, 30));
      });

      channelTest('the bytes are those at the call, and the reader owns what it gets', async () => {
        const log = await open(1);
        const bytes = entry(1);
        const appends = [log.append(bytes)];
        bytes.fill(0);
        appends.push(log.append(entry(2).subarray(0, 5)));
        await Promise.all(appends);
        for (const { bytes: read } of await collect(log)) read.fill(0);
        expect(await textsOf(log)).toEqual(['entry 1', 'entry']);
      });

      channelTest('entries have 1 byte to the limit; others are refused and take no place', async () => {
        const log = await open(1);
        const random = seededRandom(7);
        const sizes = [1, 2, 63, 64, 65, 4096, (1 << 20) + 1];
        const sent = sizes.map((size) => Uint8Array.from({ length: size }, random));
        for (const bytes of sent) await log.append(bytes);
        await expect(log.append(new Uint8Array(0))).rejects.toEqual(invalid);
        await expect(log.append(new Uint8Array(LOG_ENTRY_BYTES_MAX + 1))).rejects.toEqual(invalid);
        expect((await log.append(entry(1))).index).toBe(sizes.length);
        const read = await collect(reader());
        expect(read.map(({ bytes }) => bytes.byteLength)).toEqual([...sizes, 7]);
        for (const [at, bytes] of sent.entries()) {
          expect(read[at]!.bytes.every((byte, index) => byte === bytes[index])).toBe(true);
        }
      });

      channelTest('an entry of the largest size comes back', async () => {
        const log = await open(1);
        const bytes = new Uint8Array(LOG_ENTRY_BYTES_MAX);
        for (let at = 0; at < bytes.byteLength; at += 4099) bytes[at] = at;
        await log.append(bytes);
        const [read] = await collect(reader());
        expect(read!.bytes.byteLength).toBe(bytes.byteLength);
        expect(read!.bytes.every((byte, index) => byte === bytes[index])).toBe(true);
      });

      channelTest('channels know nothing of each other', async () => {
        const [one, other] = [await logs.open(`${channel}/a`, 1), await logs.open(`${channel}/a/b`, 5)];
        await one.append(entry(1));
        await other.append(entry(2));
        expect(await textsOf(logs.reader(`${channel}/a`))).toEqual(['entry 1']);
        expect(await textsOf(logs.reader(`${channel}/a/b`))).toEqual(['entry 2']);
      });

      channelTest(
        'a reader without a claim sees ever longer prefixes, with all that was acknowledged before',
        async () => {
          const log = await open(1);
          let acknowledged = 0;
          const writing = (async () => {
            for (let at = 0; at < 60; at += 3) {
              await appendAll(log, at, 3);
              acknowledged += 3;
            }
          })();
          let before = 0;
          for (let look = 0; look < 10; look++) {
            const least = acknowledged;
            const seen = await textsOf(reader());
            expect(seen).toEqual(texts(0, seen.length));
            expect(seen.length).toBeGreaterThanOrEqual(Math.max(least, before));
            before = seen.length;
          }
          await writing;
          expect(await textsOf(reader())).toEqual(texts(0, 60));
        },
      );
    });

    describe('terms', () => {
      channelTest('a term opens once, and only above all that have opened', async () => {
        await open(5);
        for (const term of [1, 4, 5]) await expect(open(term)).rejects.toEqual(fenced);
        await open(6);
      });

      channelTest('a new owner replays everything, of every term, and adds to it', async () => {
        for (let term = 1; term <= 9; term += 2) {
          const log = await open(term);
          expect(await textsOf(log)).toEqual(texts(0, 3 * ((term - 1) / 2)));
          await appendAll(log, 3 * ((term - 1) / 2), 3);
        }
        expect(await textsOf(reader())).toEqual(texts(0, 15));
        expect(await textsOf(reader(), { term: 5, index: 2 })).toEqual(texts(8, 7));
        expect(await textsOf(reader(), { term: 5, index: 3 })).toEqual(texts(9, 6));
        expect(await textsOf(reader(), { term: 4, index: 7 })).toEqual(texts(6, 9));
      });

      channelTest('a stale owner acknowledges nothing, forgets nothing and answers nothing', async () => {
        const old = await open(1);
        await appendAll(old, 0, 3);
        const young = await open(2);
        for (let attempt = 0; attempt < 3; attempt++) {
          expect(await outcomeOf(old.append(entry(100)))).toBe('not-written');
        }
        await expect(old.truncate({ term: 1, index: 2 })).rejects.toEqual(fenced);
        await expect(collect(old)).rejects.toEqual(fenced);
        await young.append(entry(3));
        expect(await textsOf(young)).toEqual(texts(0, 4));
        expect(await textsOf(reader())).toEqual(texts(0, 4));
      });

      channelTest(
        'what an owner had in flight when another opened is all there up to a point, and says so',
        async () => {
          for (let term = 1; term <= 9; term += 2) {
            const old = await open(term);
            const before = (await textsOf(old)).length;
            const appends = Array.from({ length: 20 }, (_, at) => outcomeOf(old.append(entry(before + at))));
            const young = await open(term + 1);
            const outcomes = await Promise.all(appends);
            const after = await textsOf(young);
            expect(after).toEqual(texts(0, after.length));
            const landed = after.length - before;
            for (const [at, outcome] of outcomes.entries()) {
              if (outcome === 'acknowledged') expect(at).toBeLessThan(landed);
              if (outcome === 'not-written') expect(at).toBeGreaterThanOrEqual(landed);
            }
          }
        },
      );

      channelTest('of eight that open at once the greatest term owns the log', async () => {
        const terms = [5, 2, 8, 1, 7, 3, 6, 4];
        const opened = await Promise.allSettled(terms.map((term) => open(term)));
        for (const [at, outcome] of opened.entries()) {
          if (outcome.status === 'rejected') {
            expect(codeOf(outcome.reason)).toBe('fenced');
            expect(terms[at]).not.toBe(8);
          } else if (terms[at] !== 8) {
            expect(await outcomeOf(outcome.value.append(entry(100)))).toBe('not-written');
          }
        }
        const owner = opened[terms.indexOf(8)] as PromiseFulfilledResult<Log>;
        await owner.value.append(entry(0));
        expect(await textsOf(reader())).toEqual(['entry 0']);
      });

      channelTest('eight owners that append at once lose nothing and repeat nothing', async () => {
        let number = 0;
        const acknowledged = new Map<string, Position>();
        const refused = new Set<string>();
        const live = async (term: number): Promise<void> => {
          const log = await open(term);
          for (let round = 0; round < 5; round++) {
            const batch = Array.from({ length: 3 }, async () => {
              const own = number++;
              const append = log.append(entry(own));
              const outcome = await outcomeOf(append);
              if (outcome === 'acknowledged') acknowledged.set(`entry ${own}`, await append);
              if (outcome === 'not-written') refused.add(`entry ${own}`);
              return outcome;
            });
            if ((await Promise.all(batch)).some((outcome) => outcome !== 'acknowledged')) return;
          }
        };
        const lives = await Promise.allSettled([3, 1, 6, 8, 2, 7, 4, 5].map(live));
        for (const life of lives) if (life.status === 'rejected') expect(codeOf(life.reason)).toBe('fenced');
        const entries = await collect(await open(9));
        const byText = new Map(entries.map((found) => [text(found), found.position]));
        expect(byText.size).toBe(entries.length);
        for (const [acknowledgedText, position] of acknowledged) expect(byText.get(acknowledgedText)).toEqual(position);
        for (const refusedText of refused) expect(byText.has(refusedText)).toBe(false);
        const positions = entries.map(({ position }) => position);
        expect(positions).toEqual([...positions].sort(comparePositions));
      });
    });

    describe('truncation', () => {
      channelTest('what lies below is refused, never skipped; the rest is read', async () => {
        const log = await open(1);
        const positions = await appendAll(log, 0, 6);
        await log.truncate(positions[4]!);
        expect(await reader().truncatedTo()).toEqual(positions[4]);
        for (const from of [POSITION_START, positions[3]!]) {
          await expect(collect(log, from)).rejects.toEqual(truncated);
          await expect(collect(reader(), from)).rejects.toEqual(truncated);
        }
        expect(await textsOf(log, positions[4])).toEqual(texts(4, 2));
        expect(await textsOf(reader(), positions[5])).toEqual(texts(5, 1));
        await log.append(entry(6));
        expect(await textsOf(await open(2), positions[4])).toEqual(texts(4, 3));
      });

      channelTest('it never goes back', async () => {
        const log = await open(1);
        const positions = await appendAll(log, 0, 6);
        await log.truncate(positions[4]!);
        await log.truncate(positions[2]!);
        await log.truncate(POSITION_START);
        expect(await reader().truncatedTo()).toEqual(positions[4]);
      });

      channelTest('the newest entry stays, and a truncation past it changes nothing for what comes', async () => {
        const log = await open(1);
        await log.truncate({ term: 1, index: 5 });
        expect(await reader().truncatedTo()).toEqual(POSITION_START);
        const positions = await appendAll(log, 0, 3);
        await log.truncate(nextPosition(positions[2]!));
        expect(await reader().truncatedTo()).toEqual(positions[2]);
        expect(await textsOf(log, nextPosition(positions[2]!))).toEqual([]);
        const next = await log.append(entry(3));
        expect(next).toEqual({ term: 1, index: 3 });
        expect(await textsOf(reader(), positions[2])).toEqual(texts(2, 2));
      });

      channelTest('earlier terms are forgotten by and by, and later owners go on', async () => {
        let checkpoint = POSITION_START;
        let number = 0;
        for (let term = 1; term <= 6; term++) {
          const log = await open(term);
          const kept = await textsOf(log, checkpoint);
          expect(kept).toEqual(texts(number - kept.length, kept.length));
          const positions = await appendAll(log, number, 4);
          number += 4;
          // Sometimes a whole term and more, sometimes a part of the term before.
          checkpoint = term % 2 === 0 ? positions[1]! : { term: term - 1, index: 2 };
          await log.truncate(checkpoint);
          const rest = await textsOf(log, checkpoint);
          expect(rest).toEqual(texts(number - rest.length, rest.length));
          if (term > 1) await expect(collect(reader(), { term: 1, index: 0 })).rejects.toEqual(truncated);
        }
      });

      channelTest('truncations made at once all count', async () => {
        const log = await open(1);
        const positions = await appendAll(log, 0, 8);
        await Promise.all([3, 6, 1, 5].map((at) => log.truncate(positions[at]!)));
        expect(await reader().truncatedTo()).toEqual(positions[6]);
        expect(await textsOf(log, positions[6])).toEqual(texts(6, 2));
      });

      channelTest('a reader beside it sees all that is left, or is told', async () => {
        const log = await open(1);
        const positions = await appendAll(log, 0, 24);
        const reads = Array.from({ length: 6 }, (_, at) => collect(reader(), positions[at * 3]!));
        const truncations = [4, 9, 14, 19].map((at) => log.truncate(positions[at]!));
        for (const [at, read] of (await Promise.allSettled(reads)).entries()) {
          if (read.status === 'rejected') expect(read.reason).toEqual(truncated);
          else expect(read.value.map(text)).toEqual(texts(at * 3, 24 - at * 3));
        }
        await Promise.all(truncations);
      });
    });

    describe('close', () => {
      channelTest('later appends are refused; what was acknowledged stays; a greater term opens', async () => {
        const log = await open(1);
        await appendAll(log, 0, 3);
        await log.close();
        await expect(log.append(entry(3))).rejects.toEqual(closed);
        await log.close();
        expect(await textsOf(reader())).toEqual(texts(0, 3));
        expect(await textsOf(await open(2))).toEqual(texts(0, 3));
      });

      channelTest('each append beside it is in the log, or says that it is not', async () => {
        const log = await open(1);
        const appends = Array.from({ length: 12 }, (_, at) => outcomeOf(log.append(entry(at))));
        await log.close();
        const outcomes = await Promise.all(appends);
        const landed = outcomes.filter((outcome) => outcome === 'acknowledged').length;
        expect(outcomes).toEqual(outcomes.map((_, at) => (at < landed ? 'acknowledged' : 'not-written')));
        expect(await textsOf(await open(2))).toEqual(texts(0, landed));
      });
    });
  });
}
