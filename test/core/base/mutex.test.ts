import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Mutex } from '../../../core/base/mutex.ts';

test('tasks run one at a time, in order, whatever they do', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ turns: fc.nat(4), fails: fc.boolean() })), async (tasks) => {
      const mutex = new Mutex();
      const order: number[] = [];
      let running = 0;
      const results = await Promise.allSettled(
        tasks.map(({ turns, fails }, index) =>
          mutex.run(async () => {
            running++;
            expect(running).toBe(1);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            running--;
            order.push(index);
            if (fails) throw new Error(`task ${index}`);
            return index;
          }),
        ),
      );
      expect(order).toEqual(tasks.map((_, index) => index));
      expect(results.map((result) => result.status)).toEqual(tasks.map((t) => (t.fails ? 'rejected' : 'fulfilled')));
      await Promise.resolve();
      expect(mutex.waiting).toBe(0);
    }),
  );
});

test('a task that throws at once rejects, and the next runs', async () => {
  const mutex = new Mutex();
  const failed = mutex.run(() => {
    throw new Error('at once');
  });
  const next = mutex.run(async () => 2);
  await expect(failed).rejects.toThrow('at once');
  expect(await next).toBe(2);
});
