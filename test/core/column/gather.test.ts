import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBatches, gatherBatch } from '../../../core/column/gather.ts';
import { GrowableColumn } from '../../../core/column/growable-column.ts';
import { batches, rowsOf, valueAt } from './batches.ts';

test('gathered rows are the named rows, in that order and as often as they are named', () => {
  fc.assert(
    fc.property(
      batches({ minLength: 1, maxLength: 1 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      ({ batches }, picks) => {
        const batch = batches[0]!;
        const rows = batch.length === 0 ? [] : picks.map((pick) => pick % batch.length);
        const all = rowsOf(batch);
        expect(rowsOf(gatherBatch(batch, Uint32Array.from(rows)))).toEqual(rows.map((row) => all[row]));
      },
    ),
  );
});

test('batches one after another have the rows of all', () => {
  fc.assert(
    fc.property(batches({ minLength: 1, maxLength: 4 }), ({ batches }) => {
      expect(rowsOf(concatBatches(batches))).toEqual(batches.flatMap(rowsOf));
    }),
  );
});

test('a column that grows has every value, and what was seen of it before stays', () => {
  fc.assert(
    fc.property(batches({ minLength: 1, maxLength: 30 }), ({ table, batches }) => {
      for (const { id, type, elementType } of table.shapes) {
        const growable = new GrowableColumn(type, elementType);
        const expected: unknown[] = [];
        const seen = [];
        for (const batch of batches) {
          const column = batch.scalars.get(id)!;
          growable.append(column);
          for (let row = 0; row < column.length; row++) expected.push(valueAt(column, row));
          seen.push(growable.column());
        }
        for (const column of seen) {
          const values = Array.from({ length: column.length }, (_, row) => valueAt(column, row));
          expect(values).toEqual(expected.slice(0, column.length));
        }
        expect(growable.column().length).toBe(expected.length);
      }
    }),
  );
});
