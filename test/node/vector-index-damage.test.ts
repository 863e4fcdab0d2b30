import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import { type Random, seededRandom } from '../../core/base/random.ts';
import { decodeIndexFile, encodeIndexFile } from '../../core/vector/index-file.ts';
import { VectorIndex, VectorMemory } from '../../wasm/index.ts';
import { goldenIndexes } from '../golden/index-v1.ts';

const GOLDEN = await goldenIndexes();
const DAMAGES = 120;

interface Part {
  readonly name: string;
  bytes: Uint8Array;
}

interface Opened {
  readonly state: Record<string, number | number[]>;
  readonly parts: Part[];
}

const NUMBERS = [0, 1, 7, 1000, 65_536, 2 ** 31, 2 ** 32 - 1, -1, 1.5];
const WORDS = [0xffffffff, 0x7fffffff, 1_000_000, 0];

/** Changes one thing, and says what. */
function damage({ state, parts }: Opened, random: Random): string {
  const pick = <Item>(items: readonly Item[]): Item => items[random() % items.length]!;
  const part = pick(parts);
  switch (random() % 5) {
    case 0: {
      const name = pick(Object.keys(state));
      const value = pick(NUMBERS);
      const before = state[name];
      if (Array.isArray(before) && before.length > 0) before[random() % before.length] = value;
      else state[name] = value;
      return `${name} is ${value}`;
    }
    case 1:
      parts.splice(parts.indexOf(part), 1);
      return `no ${part.name}`;
    case 2:
      part.bytes = part.bytes.slice(0, random() % (part.bytes.byteLength + 1));
      return `${part.name} of ${part.bytes.byteLength} bytes`;
    case 3:
      part.bytes = Uint8Array.of(...part.bytes, ...new Uint8Array(64));
      return `${part.name} with more behind it`;
    default: {
      if (part.bytes.byteLength < 4) return 'nothing';
      const at = 4 * (random() % (part.bytes.byteLength >> 2));
      new DataView(part.bytes.buffer).setUint32(at, pick(WORDS), true);
      return `a word of ${part.name} at ${at}`;
    }
  }
}

async function useAll(bytes: Uint8Array, memory: VectorMemory): Promise<string> {
  try {
    using index = await VectorIndex.load(bytes, { memory });
    const query = new Float32Array(16);
    index.search(query, { limit: 5, ef: 200, nprobe: 64 });
    index.cursor(query).next(50);
    index.save();
    await index.build();
    index.search(query, { limit: 5 });
    return 'done';
  } catch (error) {
    return codeOf(error) === 'internal' ? String(error) : codeOf(error);
  }
}

// A checksum says that bytes are as they were written, and not that who wrote them meant well.
describe.each(GOLDEN)('a blob of type $type that contradicts itself under right checksums', ({ bytes }) => {
  it('is refused, or harms nobody', async () => {
    const random = seededRandom(99);
    const { spec, state, sections } = decodeIndexFile(bytes);
    const outcomes = new Set<string>();
    for (let nth = 0; nth < DAMAGES; nth++) {
      const opened: Opened = {
        state: JSON.parse(JSON.stringify(state)) as Opened['state'],
        parts: sections.map((section) => ({ name: section.name, bytes: section.bytes.slice() })),
      };
      const what = damage(opened, random);
      const memory = await VectorMemory.create({ maxBytes: 2 ** 24 });
      const blob = encodeIndexFile({
        spec,
        state: opened.state,
        sections: opened.parts.map((part) => {
          return { name: part.name, byteLength: part.bytes.byteLength, copyTo: (target) => target.set(part.bytes) };
        }),
      });
      const outcome = await useAll(blob, memory);
      expect(['done', 'corrupt', 'quota'], what).toContain(outcome);
      outcomes.add(outcome);
      expect(memory.bytes, what).toBeLessThan(16 * 1024);
    }
    expect(outcomes).toContain('corrupt');
  });
});
