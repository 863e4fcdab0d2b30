import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, ElanusError } from '../../../core/base/error.ts';
import type { HnswlibLayout } from '../../../core/vector/hnswlib-header.ts';
import { type HnswlibFile, readHnswlib } from '../../../core/vector/hnswlib-reader.ts';
import { writeHnswlib } from '../../../core/vector/hnswlib-writer.ts';
import { expectPromises, type GraphCase, graphs, inBits, makeGraph } from './hnsw-graphs.ts';

const LAYOUTS: readonly HnswlibLayout[] = ['64', '32'];
const HEADER_BYTES = { '64': 96, '32': 56 };

/** 20 rows of several levels. */
const CASE: GraphCase = { seed: 11, dimension: 5, M: 3, size: 20, labels: '32 bits' };

function errorOf(bytes: Uint8Array, dimension?: number): ElanusError {
  try {
    readHnswlib(bytes, dimension === undefined ? {} : { dimension });
  } catch (error) {
    expect(error).toBeInstanceOf(ElanusError);
    return error as ElanusError;
  }
  throw new Error('It was read.');
}

/** The file of CASE with one word changed. */
function damaged(layout: HnswlibLayout, at: number, value: number): Uint8Array {
  const bytes = writeHnswlib(makeGraph(CASE), { layout });
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
}

/** Where in CASE's file the element of a row begins, and where its upper lists do. */
function placeOf(layout: HnswlibLayout, row: number): { element: number; upper: number } {
  const { size, M, maxM0, dimension, levels } = makeGraph(CASE);
  const stride = 4 + 4 * maxM0 + 4 * dimension + Number(layout) / 8;
  const before = levels.subarray(0, row).reduce((bytes, level) => bytes + 4 + level * (4 + 4 * M), 0);
  return { element: HEADER_BYTES[layout] + row * stride, upper: HEADER_BYTES[layout] + size * stride + before };
}

describe('a graph in the file of hnswlib', () => {
  it.each(LAYOUTS)('comes back bit for bit, %s-bit', (layout) => {
    const kinds = layout === '32' ? (['32 bits'] as const) : (['32 bits', '53 bits', '64 bits'] as const);
    fc.assert(
      fc.property(graphs(kinds), fc.nat(1000), (of, room) => {
        const graph = makeGraph(of);
        expectPromises(graph);
        const bytes = writeHnswlib(graph, { layout, maxElements: graph.size + room });
        const file = readHnswlib(bytes, { dimension: graph.dimension });
        expectPromises(file.graph);
        expect(file.layout).toBe(layout);
        expect(file.maxElements).toBe(graph.size + room);
        // An empty list of labels fits numbers.
        if (graph.size > 0) expect(inBits(file.graph)).toEqual(inBits(graph));
        expect(writeHnswlib(file.graph, { layout, maxElements: file.maxElements })).toEqual(bytes);
      }),
    );
  });

  it('goes from 32 to 64 bits and back', () => {
    fc.assert(
      fc.property(graphs(['32 bits']), (of) => {
        const bytes = writeHnswlib(makeGraph(of), { layout: '32' });
        const wide = writeHnswlib(readHnswlib(bytes).graph, { layout: '64' });
        expect(writeHnswlib(readHnswlib(wide).graph, { layout: '32' })).toEqual(bytes);
        expect(inBits(readHnswlib(wide).graph)).toEqual(inBits(readHnswlib(bytes).graph));
      }),
    );
  });

  it('keeps every bit of a vector, and drops what hnswlib left after a count', () => {
    const graph = makeGraph(CASE);
    graph.vectors.set([Number.NaN, Number.POSITIVE_INFINITY, -0, 2 ** -149, Number.NEGATIVE_INFINITY]);
    const bytes = writeHnswlib(graph, { layout: '64' });
    const row = [...graph.levels.keys()].find((at) => graph.links0[at * (1 + graph.maxM0)]! < graph.maxM0)!;
    new DataView(bytes.buffer).setUint32(placeOf('64', row).element + 4 * graph.maxM0, 0xdead_beef, true);
    expect(inBits(readHnswlib(bytes).graph)).toEqual(inBits(graph));
  });

  it('is read from any place in a buffer', () => {
    const bytes = writeHnswlib(makeGraph(CASE), { layout: '64' });
    for (const start of [0, 1, 2, 3, 4]) {
      const shifted = new Uint8Array(bytes.length + 8).subarray(start, start + bytes.length);
      shifted.set(bytes);
      expect(inBits(readHnswlib(shifted).graph)).toEqual(inBits(makeGraph(CASE)));
    }
  });

  it('has labels up to 64 bits, and gives numbers while they are exact', () => {
    const graph = { ...makeGraph({ ...CASE, size: 3 }), deleted: new Uint32Array(0) };
    const large = 2 ** 53;
    for (const labels of [
      Float64Array.of(0, 2 ** 32 - 1, 2 ** 32),
      Float64Array.of(large - 1, 7, large - 2),
      BigUint64Array.of(1n, BigInt(large), 2n),
      BigUint64Array.of(2n ** 64n - 1n, 2n ** 63n, BigInt(large - 1)),
    ]) {
      expect(readHnswlib(writeHnswlib({ ...graph, labels }, { layout: '64' })).graph.labels).toEqual(labels);
    }
    // Numbers of that size are what they are: the type follows the values.
    const rounded = writeHnswlib({ ...graph, labels: Float64Array.of(1, large, large + 2) }, { layout: '64' });
    expect(readHnswlib(rounded).graph.labels).toEqual(BigUint64Array.of(1n, BigInt(large), BigInt(large + 2)));
    const narrow = (label: number) =>
      writeHnswlib({ ...graph, labels: Float64Array.of(1, 2, label) }, { layout: '32' });
    expect([...readHnswlib(narrow(2 ** 32 - 1)).graph.labels]).toEqual([1, 2, 2 ** 32 - 1]);
    expect(() => narrow(2 ** 32)).toThrow('The id 4294967296 needs more than 32 bits');
  });

  it('may have a label twice, once the earlier row is deleted', () => {
    const graph = { ...makeGraph({ ...CASE, size: 4 }), labels: Float64Array.of(9, 5, 9, 5) };
    const write = (...deleted: number[]) =>
      writeHnswlib({ ...graph, deleted: Uint32Array.from(deleted) }, { layout: '64' });
    for (const deleted of [
      [0, 1],
      [0, 1, 3],
      [0, 1, 2, 3],
    ]) {
      expect([...readHnswlib(write(...deleted)).graph.labels]).toEqual([9, 5, 9, 5]);
    }
    expect(errorOf(write()).message).toContain('elements 0 and 2 both have the label 9');
    expect(errorOf(write(0, 3)).message).toContain('elements 1 and 3 both have the label 5');
  });

  it('may be empty', () => {
    const graph = makeGraph({ ...CASE, size: 0 });
    for (const layout of LAYOUTS) {
      const bytes = writeHnswlib(graph, { layout, maxElements: 100 });
      expect(bytes.length).toBe(HEADER_BYTES[layout]);
      expect(readHnswlib(bytes, { dimension: 5 })).toMatchObject({ maxElements: 100, graph: { size: 0, entry: -1 } });
    }
  });
});

describe('what the other layout cannot say', () => {
  it('is refused: labels beyond 32 bits', () => {
    for (const labels of ['53 bits', '64 bits'] as const) {
      const graph = makeGraph({ ...CASE, labels });
      expect(() => writeHnswlib(graph, { layout: '32' })).toThrow(/The id \d+ needs more than 32 bits/);
    }
  });

  it('is refused: room for fewer than there are', () => {
    const graph = makeGraph(CASE);
    for (const maxElements of [19, -1, 20.5, Number.NaN]) {
      expect(() => writeHnswlib(graph, { layout: '64', maxElements })).toThrow(`maxElements is ${maxElements}`);
    }
    expect(() => writeHnswlib(graph, { layout: '32', maxElements: 2 ** 32 })).toThrow('maxElements is 4294967296');
  });

  it('is a bug: a graph that breaks its promises', () => {
    const graph = makeGraph(CASE);
    const write = (wrong: Partial<typeof graph>) => () => writeHnswlib({ ...graph, ...wrong }, { layout: '64' });
    expect(write({ upper: graph.upper.slice(1) })).toThrow('Assertion failed');
    expect(write({ vectors: graph.vectors.slice(1) })).toThrow('Assertion failed');
    expect(write({ maxLevel: graph.maxLevel + 1 })).toThrow('Assertion failed');
  });
});

describe('a file that is not what it should be', () => {
  it('has another dimension, and says which', () => {
    const bytes = writeHnswlib(makeGraph(CASE), { layout: '64' });
    const error = errorOf(bytes, 384);
    expect(error.code).toBe('invalid');
    expect(error.message).toContain('5 float32 values each, not 384');
    expect(error.details).toEqual({ dimension: 5, expected: 384 });
    expect(errorOf(bytes, 20).message).toContain('Vectors of 8-bit integers are not read');
  });

  it('is nothing of hnswlib', () => {
    const text = new TextEncoder().encode('A text that is long enough to have a header of either kind. '.repeat(3));
    for (const bytes of [new Uint8Array(0), new Uint8Array(40), new Uint8Array(500), text]) {
      const error = errorOf(bytes, 5);
      expect(error.code).toBe('invalid');
      expect(error.message).toContain(`These ${bytes.length} bytes are not an index of hnswlib`);
    }
  });

  it.each(LAYOUTS)('is cut off anywhere, or goes on, %s-bit', (layout) => {
    const bytes = writeHnswlib(makeGraph(CASE), { layout });
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(errorOf(bytes.subarray(0, length))), `${length} bytes`).toMatch(/^(?:corrupt|invalid)$/);
    }
    expect(errorOf(bytes.subarray(0, 300)).message).toContain('it is cut off');
    expect(errorOf(bytes.subarray(0, bytes.length - 1)).message).toContain('it is cut off in the upper lists');
    for (const extra of [1, 4, 100]) {
      const longer = new Uint8Array(bytes.length + extra);
      longer.set(bytes);
      expect(errorOf(longer)).toMatchObject({ code: 'corrupt', message: expect.stringContaining(`${extra} bytes`) });
    }
  });
});

describe('damage', () => {
  const { levels, entry, M, maxM0, labels } = makeGraph(CASE);
  const high = [...levels.keys()].find((row) => levels[row]! > 1)!;
  const low = [...levels.keys()].find((row) => levels[row] === 0)!;
  const other = [...levels.keys()].find((row) => levels[row]! < levels[entry]!)!;

  const cases = (layout: HnswlibLayout): readonly (readonly [at: number, value: number, says: string])[] => {
    const wide = layout === '64';
    const { element } = placeOf(layout, 7);
    const { upper } = placeOf(layout, high);
    const labelAt = element + 4 + 4 * maxM0 + 4 * CASE.dimension;
    return [
      [0, 8, 'offsetLevel0_ is 8, not 0'],
      [wide ? 8 : 4, 19, 'cur_element_count is 20, but max_elements_ is 19'],
      [wide ? 24 : 12, 4, 'size_data_per_element_ is 4'],
      [wide ? 40 : 20, 36, 'offsetData_ is 36, but maxM0_ is 6'],
      [wide ? 48 : 24, 7, `its highest element has level ${levels[entry]}, but its header says 7`],
      [wide ? 48 : 24, -1 >>> 0, 'maxlevel_ -1'],
      [wide ? 52 : 28, other, `its entry, element ${other}, has level ${levels[other]}`],
      [wide ? 52 : 28, 20, 'enterpoint_node_ is 20'],
      [wide ? 56 : 32, 4, 'maxM_ is 4, but M_ is 3'],
      [wide ? 88 : 52, 0, 'ef_construction_ is 0'],
      [element, maxM0 + 1, `element 7 has ${maxM0 + 1} links on level 0, but at most ${maxM0} fit`],
      [element, 0x20001, 'element 7 has the mark 2'],
      [labelAt, Number(labels[8]), `elements 7 and 8 both have the label ${labels[8]}`],
      [upper, 5, `the upper lists of element ${high} have 5 bytes`],
      [upper, 256 * (4 + 4 * M), `the upper lists of element ${high} have`],
      [upper + 4, M + 1, `element ${high} has ${M + 1} links on level 1, but at most ${M} fit`],
    ];
  };

  it.each(LAYOUTS)('is named, with its place, %s-bit', (layout) => {
    for (const [at, value, says] of cases(layout)) {
      const error = errorOf(damaged(layout, at, value), CASE.dimension);
      expect({ code: error.code, message: error.message }, says).toEqual({
        code: 'corrupt',
        message: expect.stringContaining(says),
      });
    }
  });

  it('is named: links that lead nowhere', () => {
    const bytes = writeHnswlib(makeGraph(CASE), { layout: '64' });
    const view = new DataView(bytes.buffer);
    const { element } = placeOf('64', 7);
    view.setUint32(element, 1, true);
    view.setUint32(element + 4, 20, true);
    expect(errorOf(bytes)).toMatchObject({
      code: 'corrupt',
      message: 'The hnswlib index is damaged: element 7 links on level 0 to element 20 of 20.',
      details: { row: 7, level: 0, link: 20 },
    });
    view.setUint32(element + 4, 19, true);
    const { upper } = placeOf('64', high);
    view.setUint32(upper + 4, 1, true);
    view.setUint32(upper + 8, low, true);
    expect(errorOf(bytes).message).toContain(`element ${high} links on level 1 to element ${low}, whose level is 0`);
  });

  it.each(LAYOUTS)('in the header is refused, or changes nothing but what cannot be known, %s-bit', (layout) => {
    const bytes = writeHnswlib(makeGraph(CASE), { layout, maxElements: 1000 });
    const whole = readHnswlib(bytes);
    const unknowable = new Set<string>();
    for (let at = 0; at < HEADER_BYTES[layout]; at++) {
      for (let change = 1; change < 256; change++) {
        const changed = bytes.slice();
        changed[at]! ^= change;
        const file = readOrRefuse(changed);
        if (file === undefined) continue;
        expectSameGraph(file, whole, unknowable);
      }
    }
    expect([...unknowable].sort()).toEqual(['efConstruction', 'entry', 'maxElements']);
  });

  it.each(LAYOUTS)('anywhere is refused, or leaves a graph that keeps its promises, %s-bit', (layout) => {
    fc.assert(
      fc.property(graphs(['32 bits']), fc.nat(), fc.integer({ min: 1, max: 255 }), (of, place, change) => {
        const bytes = writeHnswlib(makeGraph(of), { layout });
        bytes[place % bytes.length]! ^= change;
        const file = readOrRefuse(bytes);
        if (file !== undefined) expectPromises(file.graph);
      }),
      { numRuns: 1000 },
    );
  });
});

/** The file, or undefined if it was refused as it should be. */
function readOrRefuse(bytes: Uint8Array): HnswlibFile | undefined {
  try {
    return readHnswlib(bytes);
  } catch (error) {
    if (codeOf(error) !== 'corrupt' && codeOf(error) !== 'invalid') throw error;
    return undefined;
  }
}

/** Notes which fields differ, and that no array does. */
function expectSameGraph(file: HnswlibFile, whole: HnswlibFile, unknowable: Set<string>): void {
  if (file.maxElements !== whole.maxElements) unknowable.add('maxElements');
  if (file.graph.entry !== whole.graph.entry) unknowable.add('entry');
  if (file.graph.efConstruction !== whole.graph.efConstruction) unknowable.add('efConstruction');
  const { entry, efConstruction } = whole.graph;
  expect({ ...file, maxElements: 0, graph: { ...file.graph, entry, efConstruction } }).toEqual({
    ...whole,
    maxElements: 0,
  });
}
