import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/base/random.ts';
import { fitUnitSquare, layOut } from '../../demo/picture/layout.ts';
import { nearestRows } from '../../demo/picture/neighbours.ts';
import { PointGrid } from '../../demo/picture/point-grid.ts';
import { type Matrix, principalCoordinates } from '../../demo/picture/principal-axes.ts';

const uniform = (random: () => number): number => random() / 2 ** 31 - 1;

/** Vectors around `groups` centres, in turn. */
function clustered(rows: number, dimension: number, groups: number, spread: number): Matrix {
  const random = seededRandom(7);
  const centres = Array.from({ length: groups }, () => Float32Array.from({ length: dimension }, () => uniform(random)));
  const values = new Float32Array(rows * dimension);
  for (let at = 0; at < values.length; at++) {
    const centre = centres[Math.floor(at / dimension) % groups] as Float32Array;
    values[at] = (centre[at % dimension] as number) + spread * uniform(random);
  }
  return { values, rows, dimension };
}

function last<Value>(values: Iterable<Value>): Value | undefined {
  let found: Value | undefined;
  for (const value of values) found = value;
  return found;
}

describe('principal axes', () => {
  it('are those of largest variance: the coordinates keep what a plane in many dimensions holds', () => {
    // Rows on a circle in a plane that two orthogonal vectors of 40 dimensions span, with a little noise beside it.
    const random = seededRandom(3);
    const dimension = 40;
    const rows = 300;
    const values = new Float32Array(rows * dimension);
    const angles = Array.from({ length: rows }, () => uniform(random) * Math.PI);
    for (const [row, angle] of angles.entries()) {
      for (let at = 0; at < dimension; at++) {
        const along = at % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
        values[row * dimension + at] = along + 0.01 * uniform(random);
      }
    }
    const { values: found, dimension: axes } = principalCoordinates({ values, rows, dimension }, 3, random);
    expect(axes).toBe(3);
    let plane = 0;
    let beside = 0;
    for (let row = 0; row < rows; row++) {
      const [x = 0, y = 0, z = 0] = found.subarray(row * 3, row * 3 + 3);
      plane += x * x + y * y;
      beside += z * z;
    }
    // Unit vectors: the plane holds nearly all of each one's length, less what the mean takes.
    expect(plane / rows).toBeGreaterThan(0.95);
    expect(beside / rows).toBeLessThan(0.001);
  });

  it('have no place for what does not vary: equal rows, zero rows and few dimensions give finite coordinates', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 2, max: 5 }),
        fc.constantFrom(0, 1),
        (rows, d, v) => {
          const matrix = { values: new Float32Array(rows * d).fill(v), rows, dimension: d };
          const { values } = principalCoordinates(matrix, 16, seededRandom(1));
          expect(values.every((value) => Math.abs(value) < 1e-6)).toBe(true);
        },
      ),
    );
  });
});

describe('neighbours', () => {
  it('are those that sorting all rows by distance gives', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer(),
        (rows, count, seed) => {
          const random = seededRandom(seed);
          const values = Float32Array.from({ length: rows * 3 }, () => uniform(random));
          const each = Math.min(count, rows - 1);
          const found = nearestRows({ values, rows, dimension: 3 }, count);
          const distance = (a: number, b: number): number =>
            [0, 1, 2].reduce((sum, at) => sum + ((values[a * 3 + at] ?? 0) - (values[b * 3 + at] ?? 0)) ** 2, 0);
          for (let row = 0; row < rows; row++) {
            const others = Array.from({ length: rows }, (_, other) => other).filter((other) => other !== row);
            const nearest = others.map((other) => distance(row, other)).sort((a, b) => a - b);
            const told = Array.from(found.subarray(row * each, (row + 1) * each), (other) => distance(row, other));
            expect(told.length).toBe(each);
            for (const [at, value] of told.entries()) expect(value).toBeCloseTo(nearest[at] ?? 0, 5);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('the layout', () => {
  it('puts rows of a cluster beside each other, and gives the same places for the same seed', () => {
    const matrix = clustered(240, 64, 6, 0.15);
    const places = last(layOut(matrix, seededRandom(1))) ?? new Float32Array();
    expect(last(layOut(matrix, seededRandom(1)))).toEqual(places);
    const nearest = nearestRows({ values: places, rows: 240, dimension: 2 }, 5);
    let same = 0;
    for (const [at, other] of nearest.entries()) if (other % 6 === Math.floor(at / 5) % 6) same++;
    expect(same / nearest.length).toBeGreaterThan(0.98);
  });

  it('fits the unit square and keeps the order along both axes, whatever the places are', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 2, maxLength: 60, noNaN: true, min: -1e6, max: 1e6 }), (all) => {
        const places = all.subarray(0, all.length - (all.length % 2));
        const fitted = fitUnitSquare(places);
        expect(fitted.every((value) => value >= 0 && value <= 1)).toBe(true);
        for (let a = 0; a < places.length; a += 2) {
          for (let b = 0; b < places.length; b += 2) {
            if ((places[a] as number) <= (places[b] as number)) {
              expect(fitted[a]).toBeLessThanOrEqual(fitted[b] as number);
            }
          }
        }
      }),
    );
  });

  it.each([1, 2, 3])('works with %d rows', (rows) => {
    const places = last(layOut(clustered(rows, 8, 1, 1), seededRandom(1)));
    expect(places?.length).toBe(rows * 2);
    expect(places?.every(Number.isFinite)).toBe(true);
  });
});

describe('the grid of points', () => {
  const unit = fc.float({ min: 0, max: 1, noNaN: true });

  it('finds the nearest point in reach, as looking at all of them does', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, unit), { maxLength: 50 }), unit, unit, unit, (points, x, y, reach) => {
        const found = new PointGrid(Float32Array.from(points.flat())).nearest(x, y, reach);
        const distances = points.map(([px, py]) => Math.hypot(px - x, py - y));
        const least = Math.min(...distances);
        if (found === undefined) expect(least).toBeGreaterThan(reach - 1e-6);
        else expect(distances[found]).toBeCloseTo(least, 6);
      }),
    );
  });

  it('arrow keys go on in their direction, and come to an end', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, unit), { minLength: 1, maxLength: 50 }), (points) => {
        const grid = new PointGrid(Float32Array.from(points.flat()));
        let at = 0;
        for (let step = 0; step <= points.length; step++) {
          const next = grid.next(at, 1, 0);
          if (next === at) return;
          expect(points[next]?.[0]).toBeGreaterThan(points[at]?.[0] ?? 0);
          at = next;
        }
        throw new Error('it goes round in circles');
      }),
    );
  });
});
