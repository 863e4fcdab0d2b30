import { afterEach, expect, test, vi } from 'vitest';
import { ElanusError } from '../../../core/base/error.ts';
import { RunningSearch } from '../../../core/client/live-search.ts';
import type { LiveOptions } from '../../../core/elanus.ts';
import type { Change, ChangeKind } from '../../../core/model/change.ts';
import { settle } from '../../fakes/simulated-clock.ts';

/** A live search over a source that answers when the test says so. */
class Bench {
  readonly shown: unknown[] = [];
  readonly errors: unknown[] = [];
  /** Searches that wait for their answer. */
  readonly asked: {
    readonly signal: AbortSignal;
    readonly isFirst: boolean;
    readonly answer: (results: unknown) => void;
    readonly fail: (error: unknown) => void;
  }[] = [];
  readonly listeners = new Set<(change: Change<unknown>) => void>();
  listener = (results: unknown): unknown => this.shown.push(results);

  start(options: LiveOptions = {}): RunningSearch<unknown> {
    return new RunningSearch<unknown>({
      search: (signal, isFirst) =>
        new Promise((answer, fail) => {
          this.asked.push({ signal, isFirst, answer, fail });
        }),
      subscribe: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      listener: (results) => {
        this.listener(results);
      },
      options: { onError: (error) => this.errors.push(error), ...options },
      collectionName: 'c',
    });
  }

  change(kind: ChangeKind = 'write'): void {
    for (const listener of [...this.listeners]) listener({ kind, count: 1, timestamp: 1n });
  }

  async answer(results: unknown): Promise<void> {
    this.asked.shift()?.answer(results);
    await settle();
  }

  async fail(error: unknown): Promise<void> {
    this.asked.shift()?.fail(error);
    await settle();
  }
}

afterEach(() => {
  vi.useRealTimers();
});

test('results come at once, and again after a change only if they differ', async () => {
  const bench = new Bench();
  bench.start();
  expect(bench.asked.map(({ isFirst }) => isFirst)).toEqual([true]);
  await bench.answer([[{ id: 1, distance: 0.5 }]]);
  bench.change();
  expect(bench.asked.map(({ isFirst }) => isFirst)).toEqual([false]);
  await bench.answer([[{ id: 1, distance: 0.5 }]]);
  bench.change('unknown');
  await bench.answer([[{ id: 2, distance: 0.5 }]]);
  bench.change();
  await bench.answer([[{ id: 2, distance: 0.25 }]]);
  expect(bench.shown).toEqual([
    [[{ id: 1, distance: 0.5 }]],
    [[{ id: 2, distance: 0.5 }]],
    [[{ id: 2, distance: 0.25 }]],
  ]);
});

test('one search runs at a time, and a hundred changes meanwhile make one more', async () => {
  const bench = new Bench();
  bench.start();
  for (let count = 0; count < 100; count++) bench.change();
  expect(bench.asked.length).toBe(1);
  await bench.answer('a');
  expect(bench.asked.length).toBe(1);
  await bench.answer('b');
  expect(bench.asked.length).toBe(0);
  expect(bench.shown).toEqual(['a', 'b']);
});

test('a change that the listener itself makes is searched for', async () => {
  const bench = new Bench();
  bench.listener = (results) => {
    bench.shown.push(results);
    if (bench.shown.length === 1) bench.change();
  };
  bench.start();
  await bench.answer('a');
  await bench.answer('b');
  expect(bench.shown).toEqual(['a', 'b']);
});

test('after `stop` nothing comes: not the search under way, not its error, no change', async () => {
  for (const end of ['answer', 'fail'] as const) {
    const bench = new Bench();
    const live = bench.start();
    await bench.answer('a');
    bench.change();
    const signal = bench.asked[0]?.signal;
    live.stop();
    live.stop();
    expect(signal?.aborted).toBe(true);
    await bench[end](new ElanusError('internal', 'late'));
    expect(bench.listeners.size).toBe(0);
    expect([bench.shown, bench.errors]).toEqual([['a'], []]);
  }
});

test('a signal stops it, also one that was aborted before', async () => {
  const bench = new Bench();
  const controller = new AbortController();
  bench.start({ signal: controller.signal });
  controller.abort();
  await bench.answer('a');
  bench.start({ signal: controller.signal });
  expect(bench.asked.length).toBe(0);
  expect([bench.listeners.size, bench.shown, bench.errors]).toEqual([0, [], []]);
});

test('`using` ends it', async () => {
  const bench = new Bench();
  {
    using live = bench.start();
    void live;
    expect(bench.listeners.size).toBe(1);
  }
  expect(bench.listeners.size).toBe(0);
});

test('an error ends it and is told once', async () => {
  const bench = new Bench();
  bench.start();
  const error = new ElanusError('invalid', 'no such field');
  await bench.fail(error);
  expect(bench.errors).toEqual([error]);
  expect(bench.listeners.size).toBe(0);
  bench.change();
  expect(bench.asked.length).toBe(0);
});

test('a drop ends it with not-found, even while a search is under way', async () => {
  const bench = new Bench();
  bench.start();
  bench.change('drop');
  await bench.answer('a');
  expect(bench.errors.map((error) => (error as ElanusError).code)).toEqual(['not-found']);
  expect(bench.shown).toEqual([]);
});

test('what passes by itself is tried again, and told when it does not pass', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const bench = new Bench();
  bench.start();
  await bench.fail(new ElanusError('unavailable', 'changes hands'));
  expect([bench.asked.length, bench.errors.length]).toEqual([0, 0]);
  await vi.runAllTimersAsync();
  await bench.answer('a');
  expect(bench.shown).toEqual(['a']);
  bench.change();
  let attempts = 0;
  while (bench.errors.length === 0) {
    await bench.fail(new ElanusError('overloaded', 'busy'));
    await vi.runAllTimersAsync();
    attempts += 1;
    expect(attempts).toBeLessThan(20);
  }
  expect(attempts).toBe(7);
});

test('a listener that throws ends nothing, and its error reaches the host', async () => {
  const bench = new Bench();
  const unhandled: unknown[] = [];
  const hear = (reason: unknown): unknown => unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', hear);
  try {
    bench.listener = () => {
      throw new TypeError('mine');
    };
    bench.start();
    await bench.answer('a');
    bench.listener = (results) => bench.shown.push(results);
    bench.change();
    await bench.answer('b');
    await settle();
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  }
  expect(unhandled.map(String)).toEqual(['TypeError: mine']);
  expect([bench.shown, bench.errors]).toEqual([['b'], []]);
});
