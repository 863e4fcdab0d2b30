import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../core/base/random.ts';
import { ELEMENT_TYPES, vectorBytes } from '../../../core/vector/element.ts';
import { WASM_BUILDS } from '../../node/kernel.ts';
import { KernelVectors } from './kernel-vectors.ts';
import { bf16Of, f16Of, referenceDecode, referenceEncode, toBF16, toF16 } from './reference-elements.ts';

const ALL = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const HALVES = [
  { elements: 'f16', of: f16Of, to: toF16 },
  { elements: 'bf16', of: bf16Of, to: toBF16 },
] as const;

function bitsOf(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer);
}

function floatOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0] as number;
}

describe.each(WASM_BUILDS)('elements, %s build', async (build) => {
  const kernel = await KernelVectors.create(build);

  it.each(HALVES)('decodes every one of the 65,536 $elements', ({ elements, of }) => {
    const decoded = kernel.decode(elements, new Uint8Array(ALL.buffer), ALL.length);
    for (const bits of ALL) {
      if (!Object.is(decoded[bits], of(bits))) expect([bits, decoded[bits]]).toEqual([bits, of(bits)]);
    }
  });

  it.each(HALVES)(
    'encodes what it decoded to the same bits, NaN to a NaN of its sign, $elements',
    ({ elements, of }) => {
      const encoded = bitsOf(kernel.encode(elements, Float32Array.from(ALL, of)));
      for (const bits of ALL) {
        const value = of(bits);
        const back = encoded[bits] as number;
        if (Number.isNaN(value)) expect(of(back)).toBeNaN();
        else if (back !== bits) expect(back).toBe(bits);
      }
    },
  );

  it.each(HALVES)('rounds to the nearest $elements, in the middle to the even one', ({ elements, of, to }) => {
    const random = seededRandom(1);
    const largest = elements === 'f16' ? 0x7bff : 0x7f7f;
    const values: number[] = [-0, 0, 65_519.996, 65_520, -65_520, 65_536, 3.4028235e38, -3.4e38, Infinity, -Infinity];
    for (let count = 0; count < 20_000; count++) {
      const bits = random() % largest;
      const middle = Math.fround((of(bits) + of(bits + 1)) / 2);
      const bitsOfMiddle = new Uint32Array(Float32Array.of(middle).buffer)[0] as number;
      const sign = random() % 2 === 0 ? 1 : -1;
      values.push(sign * middle, sign * floatOf(bitsOfMiddle + 1), sign * floatOf(Math.max(0, bitsOfMiddle - 1)));
      const any = floatOf(random() >>> 0);
      if (!Number.isNaN(any)) values.push(any);
    }
    // The smallest values of all, and the borders of the denormals.
    for (let bits = 0; bits < 300; bits++) values.push(floatOf(bits), floatOf(0x33000000 + bits - 150));
    for (let bits = 0; bits < 300; bits++)
      values.push(floatOf(0x387fe000 + bits * 64), floatOf(0x80_0000 - 150 + bits));
    const encoded = bitsOf(kernel.encode(elements, Float32Array.from(values)));
    values.forEach((value, index) => {
      const expected = to(Math.fround(value));
      if (encoded[index] !== expected) expect([value, encoded[index]]).toEqual([value, expected]);
    });
  });

  it('keeps the sign of a NaN, and makes it quiet', () => {
    const values = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001, 0x7fc00000, 0xffffffff).buffer);
    for (const [elements, quiet, sign] of [
      ['f16', 0x7e00, 0x8000],
      ['bf16', 0x7fc0, 0x8000],
    ] as const) {
      const encoded = bitsOf(kernel.encode(elements, values));
      expect([...encoded].map((bits) => bits & sign)).toEqual([0, sign, 0, sign]);
      for (const bits of encoded) expect(bits & quiet).toBe(quiet);
    }
  });

  it.each(ELEMENT_TYPES.filter((name) => name !== 'f32'))('takes any count at any address, %s', (elements) => {
    const random = seededRandom(2);
    for (let count = 1; count <= 70; count++) {
      const values = Float32Array.from({ length: count }, () =>
        elements === 'bit' ? random() % 2 : elements === 'int8' ? (random() % 256) - 128 : random() / 2 ** 31 - 1,
      );
      const shift = count % 16;
      const encoded = kernel.encode(elements, values, shift);
      expect(encoded).toEqual(referenceEncode(elements, values));
      expect(encoded).toHaveLength(vectorBytes(elements, count));
      if (elements === 'bit') continue;
      expect(kernel.decode(elements, encoded, count, shift)).toEqual(referenceDecode(elements, encoded, count));
    }
  });
});
