import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8, toHex } from '../../../core/base/bytes.ts';
import { crc32c } from '../../../core/base/crc32c.ts';
import { toPlainError } from '../../../core/base/error.ts';
import { seededRandom } from '../../../core/base/random.ts';
import {
  decodeHeader,
  decodePayload,
  encodeData,
  encodeFence,
  FRAME_HEADER_BYTES,
  nonceOf,
} from '../../../core/wal/frame.ts';
import type { Position } from '../../../core/wal/log.ts';

const KEY = 'wal/c/0001/0002';
const index = fc.oneof(fc.nat(100), fc.maxSafeNat());
const positions = fc.record({ term: index, index });
const payloads = fc.uint8Array({ minLength: 1, maxLength: 200 });

/** Decodes a whole frame as a reader of the log does. */
function decode(bytes: Uint8Array, position: Position): Uint8Array {
  return decodePayload(bytes, decodeHeader(bytes, position, KEY), KEY);
}

function codeOfDecoding(bytes: Uint8Array, position: Position): string {
  try {
    decode(bytes, position);
  } catch (error) {
    const { code, details } = toPlainError(error);
    expect(details['key']).toBe(KEY);
    return code;
  }
  return 'decoded';
}

test('what is encoded is decoded, and the header can be read alone', () => {
  fc.assert(
    fc.property(positions, payloads, fc.integer(), (position, payload, seed) => {
      const frame = encodeData(position, payload, seededRandom(seed));
      const header = decodeHeader(frame.subarray(0, FRAME_HEADER_BYTES), position, KEY);
      expect(header).toEqual({
        kind: 'data',
        position,
        nonce: nonceOf(frame),
        payloadBytes: payload.byteLength,
        payloadCrc: crc32c(payload),
        fencingTerm: 0,
      });
      expect(decode(frame, position)).toEqual(payload);
    }),
  );
});

test('a fence is a header alone, and says which term put it there', () => {
  fc.assert(
    fc.property(positions, fc.maxSafeNat(), (position, fencingTerm) => {
      const fence = encodeFence(position, fencingTerm, seededRandom(1));
      expect(fence.byteLength).toBe(FRAME_HEADER_BYTES);
      expect(decodeHeader(fence, position, KEY)).toMatchObject({
        kind: 'fence',
        position,
        fencingTerm,
        payloadBytes: 0,
      });
    }),
  );
});

test('two frames of the same bytes in the same slot differ', () => {
  const random = seededRandom(1);
  const frames = Array.from({ length: 100 }, () => encodeData({ term: 1, index: 0 }, encodeUtf8('same'), random));
  expect(new Set(frames.map(nonceOf)).size).toBe(100);
});

test('every single flipped bit is noticed', () => {
  const position = { term: 7, index: 3 };
  for (const frame of [
    encodeData(position, encodeUtf8('some bytes of an entry'), seededRandom(2)),
    encodeFence(position, 9, seededRandom(3)),
  ]) {
    for (let bit = 0; bit < frame.byteLength * 8; bit++) {
      const flipped = frame.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOfDecoding(flipped, position), `bit ${bit}`).toBe('corrupt');
    }
  }
});

test('every truncation and everything appended is noticed', () => {
  fc.assert(
    fc.property(positions, payloads, fc.uint8Array({ minLength: 1, maxLength: 70 }), (position, payload, more) => {
      const frame = encodeData(position, payload, seededRandom(4));
      for (let length = 0; length < frame.byteLength; length++) {
        expect(codeOfDecoding(frame.slice(0, length), position)).toBe('corrupt');
      }
      const longer = new Uint8Array([...frame, ...more]);
      expect(codeOfDecoding(longer, position)).toBe('corrupt');
    }),
  );
});

test('random changes to random bytes are noticed, and nothing but typed errors is thrown', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(payloads, changes, (payload, changed) => {
      const position = { term: 1, index: 1 };
      const frame = encodeData(position, payload, seededRandom(5));
      const damaged = frame.slice();
      for (const [at, mask] of changed) damaged[at % damaged.byteLength]! ^= mask;
      if (toHex(damaged) !== toHex(frame)) expect(codeOfDecoding(damaged, position)).toBe('corrupt');
    }),
    { numRuns: 1_000 },
  );
});

test('the frame of another slot is not taken for this one', () => {
  const frame = encodeData({ term: 1, index: 2 }, encodeUtf8('x'), seededRandom(6));
  for (const other of [
    { term: 1, index: 3 },
    { term: 2, index: 2 },
  ]) {
    expect(codeOfDecoding(frame, other)).toBe('corrupt');
  }
});

test('a frame of a newer format says so, once its checksum shows that it is one', () => {
  const position = { term: 1, index: 2 };
  const frame = encodeData(position, encodeUtf8('x'), seededRandom(6));
  frame[7] = 2;
  expect(codeOfDecoding(frame, position)).toBe('corrupt');
  const view = new DataView(frame.buffer);
  view.setUint32(12, 0, true);
  view.setUint32(12, crc32c(frame.subarray(0, FRAME_HEADER_BYTES)), true);
  expect(codeOfDecoding(frame, position)).toBe('unsupported');
});

test.each([
  ['data', (): Uint8Array => encodeData({ term: 3, index: 300 }, encodeUtf8('An entry of the log.'), seededRandom(42))],
  ['fence', (): Uint8Array => encodeFence({ term: 3, index: 301 }, 5, seededRandom(43))],
])('format 1 of a frame of %s is what it always was', async (kind, encode) => {
  const golden = await readFile(new URL(`../../golden/frame-v1.${kind}`, import.meta.url));
  expect(toHex(encode())).toBe(toHex(golden));
});
