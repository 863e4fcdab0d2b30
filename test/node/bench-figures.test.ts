import { describe, expect, it } from 'vitest';
import type { Measured, SetMeasured } from '../bench/measure.ts';
import { bracket, type Point, rateAt, recallOf } from '../bench/recall.ts';
import { verdicts } from '../bench/verdict.ts';

const point = (knob: number, recall: number, ...rates: number[]): Point => ({ knob, recall, passSeconds: 1, rates });

describe('the figures of the bench', () => {
  it('recall counts the true rows that were found, in any order', () => {
    const truth = Int32Array.from({ length: 20 }, (_, at) => at);
    // Half of the first query's rows, and for the second query those of the first.
    const answers = Int32Array.from([...truth.slice(0, 5), -1, -1, -1, -1, -1, ...truth.slice(0, 10)]);
    expect(recallOf(truth, truth)).toBe(1);
    expect(recallOf(Int32Array.from([...truth.slice(0, 10).reverse(), ...truth.slice(10)]), truth)).toBe(1);
    expect(recallOf(answers, truth)).toBe(0.25);
  });

  it('the speed at a recall lies between the two points around it', () => {
    const points = [point(10, 0.9, 1000), point(20, 0.94, 800), point(40, 0.96, 200), point(80, 0.995, 100)];
    expect(bracket(points, 0.95).map(({ knob }) => knob)).toEqual([20, 40]);
    expect(rateAt(points, 0.95, 0)).toBeCloseTo(400);
    expect(rateAt(points, 0.96, 0)).toBeCloseTo(200);
  });

  it('the first point that reaches a recall stands for it; what no point reaches has no speed', () => {
    expect(rateAt([point(10, 0.97, 500), point(20, 0.98, 400)], 0.95, 0)).toBe(500);
    expect(rateAt([point(10, 0.9, 500), point(20, 0.94, 400)], 0.95, 0)).toBeUndefined();
    expect(rateAt([point(10, 0.94, 500), point(20, 0.96)], 0.95, 0)).toBeUndefined();
    expect(rateAt([], 0.95, 0)).toBeUndefined();
  });
});

function measured(system: string, rate: number, buildSeconds: number, memoryBytes: number): Measured {
  return {
    system,
    buildSeconds,
    memoryBytes,
    memoryNote: undefined,
    savedBytes: undefined,
    loadSeconds: undefined,
    pageLoadSeconds: undefined,
    points: [],
    rates: { 0.95: [rate, rate], 0.99: [rate / 2, rate / 2] },
  };
}

const setOf = (set: string, ...all: Measured[]): SetMeasured => ({
  set,
  metric: 'L2',
  size: 10,
  dimension: 4,
  measured: all,
  absent: [],
});

describe('the bar', () => {
  const sets = (ours: readonly [number, number]): SetMeasured[] =>
    (['siftsmall', 'synthetic'] as const).map((name, at) =>
      setOf(
        name,
        measured('hnswlib native', 100, 8, 1000),
        measured('Elanus HNSW (relaxed)', ours[at]!, 2, 900),
        measured('Elanus HNSW (SIMD128)', 50, 4, 900),
        measured('Elanus HNSW_SQ4, vectors in a file (relaxed)', 101, 4, 200),
        measured('Elanus HNSW_RABITQ, vectors in a file (relaxed)', 99, 4, 100),
      ),
    );
  const row = (all: readonly SetMeasured[], what: string) =>
    verdicts(all).find((verdict) => verdict.what.startsWith(what) && verdict.against === 'hnswlib native')!;

  it('is the geometric mean over the judged sets', () => {
    const speed = row(sets([400, 100]), 'QPS at 0.95, f32');
    expect(speed.measured).toBeCloseTo(2);
    expect(speed.simd).toBeCloseTo(0.5);
    expect(speed.lowest).toEqual({ set: 'synthetic', value: 1 });
    expect(speed.holds).toBe(true);
    expect(row([...sets([400, 100]), setOf('glove')], 'QPS at 0.95, f32').sets).toBe(2);
    expect(row(sets([400, 100]), 'build time').measured).toBeCloseTo(4);
  });

  it('does not hold where one set is far below the floor, however good the others are', () => {
    expect(row(sets([10_000, 74]), 'QPS at 0.95, f32').holds).toBe(false);
    expect(row(sets([10_000, 76]), 'QPS at 0.95, f32').holds).toBe(true);
  });

  it('takes the bytes of the leanest setting that is as fast as native, not of a leaner and slower one', () => {
    const bytes = row(sets([100, 100]), 'bytes');
    expect(bytes.measured).toBeCloseTo(0.2);
    expect(bytes.setting).toContain('SQ4');
    expect(bytes.holds).toBe(true);
  });

  it('says nothing of what was not measured', () => {
    const load = row(sets([100, 100]), 'load');
    expect(load.measured).toBeUndefined();
    expect(load.holds).toBe(false);
  });
});
