import { describe, expect, it } from 'vitest';
import { type Contents, Model, Violation } from '../kill/model.ts';
import { GROUP_ROWS, groupKeys, type Operation } from '../kill/operation.ts';

/** What the kill loops would let pass, they do not test: each way to break the promise must be seen. */

const found = (
  keyed: readonly (readonly [number, number])[],
  automatic: readonly (readonly [number, number])[] = [],
): Contents => ({ keyed: new Map(keyed), automatic: new Map(automatic) });

const share = (batch: number): Operation => ({ kind: 'share', group: 0, batch });
const group = (...batches: number[]): [number, number][] =>
  groupKeys(0).flatMap((key, at) => (batches[at] === undefined ? [] : [[key, batches[at]]]));
const wholeGroup = (batch: number): [number, number][] => group(...Array<number>(GROUP_ROWS).fill(batch));

function acknowledged(...operations: readonly Operation[]): Model {
  const model = new Model();
  for (const operation of operations) model.acknowledge(model.begin(operation));
  return model;
}

const write = (batch: number, ...keys: number[]): Operation => ({ kind: 'write', method: 'insert', batch, keys });

describe('the model of the kill loops', () => {
  it.each<[string, readonly Operation[], Contents]>([
    ['a lost row', [write(1, 10, 11)], found([[10, 1]])],
    ['a lost replacement', [write(1, 10), write(2, 10)], found([[10, 1]])],
    ['an undone delete', [write(1, 10), { kind: 'delete', keys: [10] }], found([[10, 1]])],
    [
      'a row that nobody wrote',
      [write(1, 10)],
      found([
        [10, 1],
        [12, 1],
      ]),
    ],
    ['a request under automatic keys that came twice', [{ kind: 'append', batch: 1, rows: 3 }], found([], [[1, 6]])],
    ['a part of one', [{ kind: 'append', batch: 1, rows: 3 }], found([], [[1, 2]])],
    [
      'an undone delete by filter',
      [
        { kind: 'append', batch: 1, rows: 3 },
        { kind: 'drop', batch: 1 },
      ],
      found([], [[1, 3]]),
    ],
    ['a torn group', [share(1), share(2)], found(group(2, 2, 1, 2, 2))],
    ['a group as it once was', [share(1), share(2)], found(wholeGroup(1))],
    ['a lost group', [share(1)], found([])],
  ])('sees %s', (_, operations, contents) => {
    expect(() => acknowledged(...operations).settle(contents)).toThrow(Violation);
  });

  it('lets an unanswered request be there or not, and holds it to what was found', () => {
    for (const isApplied of [true, false]) {
      const model = acknowledged(write(1, 10, 11));
      model.begin(write(2, 11, 12));
      const there = isApplied
        ? found([
            [10, 1],
            [11, 2],
            [12, 2],
          ])
        : found([
            [10, 1],
            [11, 1],
          ]);
      const other = isApplied
        ? found([
            [10, 1],
            [11, 1],
          ])
        : found([
            [10, 1],
            [11, 2],
            [12, 2],
          ]);
      expect(model.settle(there)).toEqual({ applied: Number(isApplied), notApplied: Number(!isApplied) });
      expect(model.settle(there)).toEqual({ applied: 0, notApplied: 0 });
      expect(() => model.settle(other)).toThrow(Violation);
    }
  });

  it('sees an unanswered request that is there in part', () => {
    const half = acknowledged(write(1, 10));
    half.begin(write(2, 10, 11));
    expect(() => half.settle(found([[10, 2]]))).toThrow(Violation);
    const deleted = acknowledged(write(1, 10, 11));
    deleted.begin({ kind: 'delete', keys: [10, 11] });
    expect(() => deleted.settle(found([[11, 1]]))).toThrow(Violation);
  });

  it('takes any of several writes under way for a group, and none that another had replaced', () => {
    const model = acknowledged(share(1));
    const [second, third] = [model.begin(share(2)), model.begin(share(3))];
    for (const batch of [1, 2, 3]) model.read(0, Array<number>(GROUP_ROWS).fill(batch), model.tick());
    model.acknowledge(second);
    model.acknowledge(third);
    // Both were under way at once: either may be the last.
    model.read(0, Array<number>(GROUP_ROWS).fill(2), model.tick());
    model.read(0, Array<number>(GROUP_ROWS).fill(3), model.tick());
    expect(() => model.read(0, Array<number>(GROUP_ROWS).fill(1), model.tick())).toThrow(Violation);
    expect(() => model.read(0, [3, 3], model.tick())).toThrow(Violation);
  });

  it('does not let a group go back to what a read before it had seen replaced', () => {
    const model = acknowledged(share(1));
    model.begin(share(2));
    model.read(0, Array<number>(GROUP_ROWS).fill(2), model.tick());
    // It was never acknowledged, but it was seen.
    expect(() => model.settle(found(wholeGroup(1)))).toThrow(Violation);
  });
});
