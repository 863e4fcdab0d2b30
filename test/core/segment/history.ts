import fc from 'fast-check';
import type { Key } from '../../../core/model/column.ts';
import type { GrowingSegment } from '../../../core/segment/growing-segment.ts';
import type { Segment } from '../../../core/segment/segment.ts';
import { batchOf, type Row, rowOf, rowsOf, type Table, table } from '../column/batches.ts';

/** What happens to a channel's rows, in log order. */
export type Step =
  | { readonly do: 'write'; readonly rows: readonly Row[] }
  | { readonly do: 'delete'; readonly keys: readonly Key[] };

export interface History {
  readonly table: Table;
  readonly steps: readonly Step[];
}

/** Histories over few keys, so that writes replace, deletes meet and deletes miss. */
export const history: fc.Arbitrary<History> = table.chain((each) => {
  const row = rowOf(each);
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('write' as const), rows: fc.array(row, { minLength: 1, maxLength: 10 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('delete' as const),
        keys: fc.array(
          row.map((some) => some[100] as Key),
          { minLength: 1, maxLength: 4 },
        ),
      }),
    },
  );
  return fc.record({ table: fc.constant(each), steps: fc.array(step, { minLength: 1, maxLength: 10 }) });
});

interface Version {
  readonly key: Key;
  readonly row: Row;
  readonly insertedAt: bigint;
  endedAt: bigint | undefined;
}

/** The naive twin of a segment: every version of every row, and when it began and ended. */
export class Versions {
  readonly all: Version[] = [];

  write(rows: readonly Row[], timestamp: bigint): void {
    for (const row of rows) {
      const key = row[100] as Key;
      this.end(key, timestamp);
      this.all.push({ key, row, insertedAt: timestamp, endedAt: undefined });
    }
  }

  end(key: Key, timestamp: bigint): void {
    for (const version of this.all) if (version.key === key) version.endedAt ??= timestamp;
  }

  /** What is visible at a timestamp, in the order in which it was written. */
  visibleAt(timestamp: bigint): Row[] {
    return this.all
      .filter(({ insertedAt, endedAt }) => insertedAt <= timestamp && (endedAt === undefined || endedAt > timestamp))
      .map(({ row }) => row);
  }
}

/** The batch of a step's rows. */
export function batchOfStep({ shapes, dimensions }: Table, rows: readonly Row[]): ReturnType<typeof batchOf> {
  return batchOf(shapes, dimensions, rows);
}

/** The visible rows of a segment at a view, as a read gets them. */
export async function readVisible(
  segment: Segment,
  each: Table,
  timestamp: bigint,
  rows: number = segment.length,
): Promise<Row[]> {
  const fieldIds = [...each.shapes.map(({ id }) => id), ...each.dimensions.keys()];
  await segment.visit(fieldIds, () => undefined);
  return rowsOf(segment.gather(setBits(segment.allow(timestamp, rows), rows), fieldIds));
}

/** The rows that a bitmap names. */
export function setBits(bitmap: Uint8Array, rows: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row).filter(
    (row) => (bitmap[row >> 3]! & (1 << (row & 7))) !== 0,
  );
}

/** A growing segment and its twin, fed together. Step `n`, from 0 on, has timestamp `n + 1`. */
export function feed(segment: GrowingSegment, versions: Versions, { table, steps }: History): void {
  for (const [at, step] of steps.entries()) {
    const timestamp = BigInt(at + 1);
    if (step.do === 'write') {
      versions.write(step.rows, timestamp);
      segment.append(batchOfStep(table, step.rows), timestamp);
    } else {
      for (const key of step.keys) {
        versions.end(key, timestamp);
        segment.markDeleted(key, timestamp);
      }
    }
  }
}
