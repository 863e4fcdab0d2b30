import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../core/base/crc32c.ts';
import { codeOf } from '../../../core/base/error.ts';
import { decodeIndexFile, encodeIndexFile } from '../../../core/vector/index-file.ts';
import type { IndexSpec, SavedIndex } from '../../../core/vector/segment-index.ts';

const SPEC: IndexSpec = { type: 'FLAT', metric: 'L2', dimension: 3, elements: 'f32', exact: 'memory', seed: 1 };

function savedOf(sections: Readonly<Record<string, Uint8Array>>, state: SavedIndex['state'] = {}): SavedIndex {
  return {
    spec: SPEC,
    state,
    sections: Object.entries(sections).map(([name, bytes]) => {
      return { name, byteLength: bytes.byteLength, copyTo: (target: Uint8Array) => target.set(bytes) };
    }),
  };
}

function outcome(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (error) {
    return `${codeOf(error)} ${(error as { details?: { section?: string } }).details?.section ?? ''}`.trim();
  }
}

describe('the blob of an index', () => {
  it('gives back spec, state and sections, each at a multiple of 64 bytes', () => {
    const parts = fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.uint8Array({ maxLength: 200 }), { maxKeys: 6 });
    const states = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(fc.integer(), fc.array(fc.integer())));
    fc.assert(
      fc.property(parts, states, (sections, state) => {
        const bytes = encodeIndexFile(savedOf(sections, state));
        const loaded = decodeIndexFile(bytes);
        expect(loaded.spec).toEqual(SPEC);
        expect(loaded.state).toEqual({ ...state });
        expect(loaded.sections.map(({ name, bytes: own }) => [name, [...own]])).toEqual(
          Object.entries(sections).map(([name, own]) => [name, [...own]]),
        );
        for (const section of loaded.sections) {
          expect(section.bytes.byteOffset % 64).toBe(0);
          const target = new Uint8Array(section.byteLength + 1);
          section.copyTo(target);
          expect([...target]).toEqual([...section.bytes, 0]);
        }
      }),
    );
  });

  const bytes = encodeIndexFile(
    savedOf({ codes: Uint8Array.from({ length: 150 }, (_, at) => at), graph: Uint8Array.of(1, 2, 3) }, { rows: 50 }),
  );

  it('is refused with any bit flipped, by name of the section', () => {
    const directoryAt = 32;
    const { sections } = decodeIndexFile(bytes);
    const [codes, graph] = sections.map((section) => section.bytes.byteOffset) as [number, number];
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const at = bit >> 3;
      const section = at < directoryAt ? 'header' : at < codes ? 'directory' : at < graph ? 'codes' : 'graph';
      const expected = at < 4 ? 'corrupt' : `corrupt ${section}`;
      expect(
        outcome(() => decodeIndexFile(damaged)),
        `bit ${bit}`,
      ).toBe(expected);
    }
  });

  it('is refused cut off anywhere, and with anything behind it', () => {
    for (let length = 0; length < bytes.byteLength; length++) {
      expect(outcome(() => decodeIndexFile(bytes.subarray(0, length)))).toBe(length < 32 ? 'invalid' : 'corrupt');
    }
    expect(outcome(() => decodeIndexFile(Uint8Array.of(...bytes, 0)))).toBe('corrupt');
  });

  it('tells a newer format, and what is no blob at all', () => {
    const newer = bytes.slice();
    const view = new DataView(newer.buffer);
    view.setUint16(4, 2, true);
    view.setUint32(28, crc32c(newer.subarray(0, 28)), true);
    expect(outcome(() => decodeIndexFile(newer))).toBe('unsupported');
    expect(outcome(() => decodeIndexFile(new Uint8Array(1000)))).toBe('invalid');
  });

  it('is refused if its directory is well summed and senseless', () => {
    const senseless = [
      '[]',
      '{}',
      '{"spec":{},"state":{},"sections":[{}]}',
      '{"spec":{},"state":{"a":"b"},"sections":[]}',
      '{"spec":{},"state":{},"sections":[{"name":"a","offset":-64,"length":1,"crc":"0"}]}',
      '{"spec":{},"state":{},"sections":[{"name":"a","offset":192,"length":9007199254740991,"crc":"0"}]}',
    ];
    for (const text of senseless) {
      const directory = new TextEncoder().encode(text);
      const forged = new Uint8Array(192);
      const view = new DataView(forged.buffer);
      forged.set(bytes.subarray(0, 8));
      forged.set(directory, 32);
      view.setUint32(8, directory.byteLength, true);
      view.setUint32(12, 192, true);
      view.setUint32(16, 192, true);
      view.setUint32(24, crc32c(forged.subarray(32)), true);
      view.setUint32(28, crc32c(forged.subarray(0, 28)), true);
      expect(
        outcome(() => decodeIndexFile(forged)),
        text,
      ).toMatch(/^corrupt/);
    }
  });
});
