import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import { makeProducts } from '../../demo/data/make.ts';
import { type Product, type ProductColumns, productText, readProducts, toProducts } from '../../demo/data/products.ts';
import { type Embedder, loadEmbedder } from '../../demo/embedder/embedder.ts';
import {
  type JudgedSet,
  measureModel,
  measureQuality,
  readJudgedSet,
  readProductSet,
} from '../../demo/embedder/judged-set.ts';
import { averagePrecision, ndcg10, rank } from '../../demo/embedder/metrics.ts';
import { decodeModel, encodeModel } from '../../demo/embedder/model-format.ts';
import { countSlips, SpellingGuesser } from '../../demo/embedder/spelling.ts';
import { rightSingularVectors } from '../../demo/embedder/svd.ts';
import { stem, words } from '../../demo/embedder/tokenizer.ts';
import { trainModel } from '../../demo/embedder/training.ts';

const PRODUCTS = new URL('../../demo/data/products.json.gz', import.meta.url);

let products: Product[];
let set: JudgedSet;
let model: Uint8Array<ArrayBuffer>;
let embedder: Embedder;
let documents: Float32Array[];

beforeAll(async () => {
  products = await readProducts(new Uint8Array(readFileSync(PRODUCTS)));
  set = await readProductSet();
  model = trainModel(set.documents);
  embedder = loadEmbedder(model);
  documents = await embedder.embed(set.documents, { kind: 'document' });
});

async function embedQuery(text: string): Promise<Float32Array> {
  return (await embedder.embed([text], { kind: 'query' }))[0]!;
}

async function titlesFor(query: string, count: number): Promise<string[]> {
  return rank(await embedQuery(query), documents)
    .slice(0, count)
    .map((row) => products[row]!.title.toLowerCase());
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

async function likeness(a: string, b: string): Promise<number> {
  return cosine(await embedQuery(a), await embedQuery(b));
}

async function codeOfRejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => codeOf(error),
  );
}

describe('the products that ship with the page', () => {
  it('are 4,000 with a key of their own and nothing missing, as JSON and packed', async () => {
    expect(products).toHaveLength(4000);
    expect(new Set(products.map(({ id }) => id)).size).toBe(4000);
    for (const product of products) {
      expect(product.title.length * product.description.length * product.category.length).toBeGreaterThan(0);
      expect(Number.isInteger(product.price) && product.price >= 0).toBe(true);
      expect(product.rating).toBeGreaterThanOrEqual(1);
    }
    expect(await readProducts(new Uint8Array(gunzipSync(readFileSync(PRODUCTS))))).toEqual(products);
  });

  it('are refused when a column is short', () => {
    const columns = JSON.parse(gunzipSync(readFileSync(PRODUCTS)).toString()) as ProductColumns;
    expect(() => toProducts({ ...columns, price: columns.price.slice(1) })).toThrow('has no price');
  });

  const source = process.env['ELANUS_DATA'];
  it.runIf(source !== undefined)('are what make.ts makes of the source (needs ELANUS_DATA)', () => {
    const rows = gunzipSync(readFileSync(join(source!, 'products-4k', 'rows.jsonl.gz'))).toString();
    expect(toProducts(makeProducts(rows).columns)).toEqual(products);
  });
});

describe('the tokenizer', () => {
  it('joins the forms of a word and nothing else', () => {
    const families = [
      'headphone headphones',
      'battery batteries',
      'box boxes boxed',
      'movie movies',
      'size sizes',
      'shoe shoes',
      'learn learning learned',
      'wed wedding',
      'toy toys',
      'guitar guitars',
    ];
    const stems = families.map((family) => new Set(family.split(' ').map(stem)));
    for (const [index, forms] of stems.entries()) expect([...forms], families[index]).toHaveLength(1);
    expect(new Set(stems.map((forms) => [...forms][0])).size).toBe(families.length);
    for (const word of ['string', 'bass', 'red', 'speed', 'bus']) expect(stem(word)).toBe(word);
  });

  it('ignores case, accents, apostrophes, punctuation and stop words', () => {
    expect(words('The Señor’s  CAFÉ—set, for 2!')).toEqual(['senors', 'cafe', 'set', '2']);
    expect(words('the of for … ?!')).toEqual([]);
  });

  it('bounds every term of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        for (const word of words(text)) expect(Buffer.byteLength(stem(word))).toBeLessThanOrEqual(255);
      }),
    );
    expect(words('漢'.repeat(500)).every((word) => Buffer.byteLength(word) <= 240)).toBe(true);
  });
});

describe('the singular vectors', () => {
  it('span what is best: as much of a matrix as a full decomposition by power iteration keeps', () => {
    // A matrix with known singular values: rows and columns of two orthogonal Hadamard bases.
    const size = 32;
    const sign = (row: number, column: number): number => {
      let bits = row & column;
      let parity = 0;
      for (; bits > 0; bits &= bits - 1) parity ^= 1;
      return (parity === 0 ? 1 : -1) / Math.sqrt(size);
    };
    const singular = Array.from({ length: size }, (_, index) => 0.8 ** index);
    const values = Float64Array.from({ length: size * size }, (_, at) =>
      singular.reduce(
        (sum, value, k) => sum + value * sign(Math.floor(at / size), k) * sign(at % size, (k + 5) % size),
        0,
      ),
    );
    const matrix = {
      rows: size,
      columns: size,
      rowStarts: Uint32Array.from({ length: size + 1 }, (_, row) => row * size),
      columnOf: Uint32Array.from({ length: size * size }, (_, at) => at % size),
      values,
    };
    const rank = 6;
    const vectors = rightSingularVectors(matrix, rank, seededRandom(7));
    for (let k = 0; k < rank; k++) {
      const along = Array.from({ length: size }, (_, row) => vectors[row * rank + k]! * sign(row, (k + 5) % size));
      expect(Math.abs(along.reduce((sum, value) => sum + value, 0))).toBeCloseTo(1, 9);
    }
  });

  it('are zero where a corpus has fewer directions than are asked for', async () => {
    const tiny = loadEmbedder(trainModel(['red ball', 'blue ball', 'red car'], { vectorDocumentsMin: 1 }));
    const [vector] = await tiny.embed(['red ball'], { kind: 'query' });
    expect(Math.sqrt(cosine(vector!, vector!))).toBeCloseTo(1, 5);
  });
});

describe('training', () => {
  it('gives the same bytes again, and others for another seed', () => {
    const texts = set.documents.slice(0, 400);
    const first = trainModel(texts);
    expect(Buffer.compare(first, trainModel(texts))).toBe(0);
    expect(Buffer.compare(first, trainModel(texts, { seed: 2 }))).not.toBe(0);
  });

  it('names a model by its content: a collection must not mix vectors of two', () => {
    const texts = set.documents.slice(0, 50);
    const names = [1, 2, 3].map((seed) => loadEmbedder(trainModel(texts, { seed, topicDimension: 8 })).model);
    expect(new Set(names).size).toBe(3);
    expect(loadEmbedder(trainModel(texts, { topicDimension: 8 })).model).toBe(names[0]);
  });

  it('makes a model of the size that the page promises', () => {
    expect(model.length).toBeLessThan(900_000);
    expect(gzipSync(model).length).toBeLessThan(800_000);
  });
});

describe('the model file', () => {
  it('comes back as it was written', () => {
    const decoded = decodeModel(model);
    expect(Buffer.compare(encodeModel(decoded), model)).toBe(0);
    expect(decoded.terms).toContain('guitar');
  });

  it('is read from the middle of a larger buffer too', () => {
    const larger = new Uint8Array(model.length + 11);
    larger.set(model, 3);
    expect(loadEmbedder(larger.subarray(3, 3 + model.length)).model).toBe(embedder.model);
  });

  it('is refused with `corrupt` after any change of a byte and any cut', () => {
    const small = trainModel(set.documents.slice(0, 30), { topicDimension: 8 });
    const versionAt = 4;
    fc.assert(
      fc.property(fc.nat(small.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        fc.pre(at < versionAt || at >= versionAt + 2);
        const damaged = small.slice();
        damaged[at]! ^= change;
        expect(() => loadEmbedder(damaged)).toThrow(/The embedding model is damaged: .+ Load it again\./);
      }),
    );
    fc.assert(
      fc.property(fc.nat(small.length - 1), (length) => {
        expect(() => loadEmbedder(small.subarray(0, length))).toThrow(/The embedding model is damaged/);
      }),
    );
    expect(() => loadEmbedder(new TextEncoder().encode('<!doctype html><title>404</title>'))).toThrow(/magic/);
  });

  it('of a later format is refused with `unsupported`', () => {
    const later = model.slice();
    later[4] = 2;
    expect(() => loadEmbedder(later)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });
});

describe('a vector', () => {
  it('has length 1 for any text that has a word, else it is zero', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('the of', '', '\n', '!?'), fc.lorem());
    const kinds = fc.constantFrom('document' as const, 'query' as const);
    await fc.assert(
      fc.asyncProperty(text, kinds, async (text, kind) => {
        const [vector] = await embedder.embed([text], { kind });
        const length = Math.sqrt(cosine(vector!, vector!));
        expect(vector).toHaveLength(embedder.dimension);
        if (words(text).length === 0) expect(length).toBe(0);
        else expect(length).toBeCloseTo(1, 5);
      }),
      { numRuns: 200 },
    );
  });

  it('is the same alone, in a list, and from another instance', async () => {
    const other = loadEmbedder(model);
    for (const kind of ['document', 'query'] as const) {
      const texts = [...set.documents.slice(0, 20), 'guittar strapp', ''];
      const together = await embedder.embed(texts, { kind });
      for (const [index, text] of texts.entries()) {
        expect((await other.embed([text], { kind }))[0]).toEqual(together[index]);
      }
    }
  });

  it('is not made once the signal is aborted', async () => {
    const signal = AbortSignal.abort();
    expect(await codeOfRejection(embedder.embed(['guitar'], { kind: 'query', signal }))).toBe('aborted');
  });
});

describe('what is near', () => {
  it('is a related word rather than an unrelated one', async () => {
    const triples = [
      ['guitar', 'acoustic', 'puzzle'],
      ['puzzle', 'jigsaw', 'microphone'],
      ['drum', 'snare', 'doll'],
      ['doll', 'barbie', 'amplifier'],
      ['microphone', 'vocal', 'costume'],
      ['trumpet', 'mouthpiece', 'dinosaur'],
      ['novel', 'romance', 'cable'],
      ['lego', 'bricks', 'violin'],
      ['amp', 'amplifier', 'doll'],
      ['christmas', 'holiday', 'violin'],
      ['kids', 'children', 'amplifier'],
    ] as const;
    for (const [word, related, unrelated] of triples) {
      expect(await likeness(word, related), word).toBeGreaterThan((await likeness(word, unrelated)) + 0.1);
    }
  });

  it('is the word itself in another form, misspelled, or half typed', async () => {
    for (const [typed, meant] of [
      ['Headphones', 'headphone'],
      ['haedphones', 'headphones'],
      ['gutiar', 'guitar'],
      ['microphne', 'microphone'],
      ['dinosuar', 'dinosaur'],
      ['headpho', 'headphones'],
      ['ukul', 'ukulele'],
      ['dinosa', 'dinosaur'],
    ] as const) {
      expect(await likeness(typed, meant), typed).toBeGreaterThan(0.6);
    }
  });

  it('finds a name that occurs once, and a word that no product had', async () => {
    expect((await titlesFor('megahouse chopper', 1))[0]).toContain('megahouse');
    const [own] = await embedder.embed(['Zorblaxian quuxifier\nA thing of its own kind'], { kind: 'document' });
    const query = await embedQuery('zorblaxian quuxifier');
    expect(cosine(query, own!)).toBeGreaterThan(Math.max(...documents.map((document) => cosine(query, document))));
  });

  it('answers what people type', async () => {
    for (const [query, word] of [
      ['acoustic guitar', 'guitar'],
      ['microphone stand', 'stand'],
      ['jigsaw puzzle', 'puzzle'],
      ['drum sticks', 'stick'],
      ['baby doll', 'doll'],
      ['headphones', 'headphone'],
    ] as const) {
      const titles = await titlesFor(query, 5);
      expect(
        titles.filter((title) => title.includes(word)).length,
        `${query}: ${titles.join(' | ')}`,
      ).toBeGreaterThanOrEqual(4);
    }
  });
});

describe('spelling', () => {
  /** Edit distance with swaps, by its definition: the fewest slips over all ways to take both words apart. */
  function slips(a: string, b: string): number {
    if (a === '' || b === '') return a.length + b.length;
    const swapped = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0];
    return Math.min(
      slips(a.slice(1), b) + 1,
      slips(a, b.slice(1)) + 1,
      slips(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
      swapped ? slips(a.slice(2), b.slice(2)) + 1 : Number.POSITIVE_INFINITY,
    );
  }

  it('counts slips as their definition does, or says that there are more than the bound', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
    fc.assert(
      fc.property(word, word, fc.nat(4), (a, b, most) => {
        const expected = slips(a, b);
        const counted = countSlips(a, b, most);
        if (expected <= most) expect(counted).toBe(expected);
        else expect(counted).toBeGreaterThan(most);
      }),
      { numRuns: 500 },
    );
  });

  it('guesses by beginning first, then by the fewest slips, and shares sum to 1', () => {
    const guesser = new SpellingGuesser(['guitar', 'guitarist', 'gutter', 'drum', '12345'], [50, 2, 1, 9, 3]);
    const terms = (word: string): number[] => guesser.guess(word, word).map(({ term }) => term);
    expect(terms('gui')).toEqual([0, 1]);
    expect(terms('guittar')).toEqual([0]);
    expect(terms('d')).toEqual([]);
    expect(terms('12346')).toEqual([]);
    expect(guesser.guess('gui', 'gui').reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  });
});

describe('retrieval quality', () => {
  it('measures are right on a worked example', () => {
    const relevance = new Map([
      [1, 3],
      [2, 1],
    ]);
    expect(ndcg10([1, 2, 0], relevance)).toBe(1);
    expect(ndcg10([0, 2, 1], relevance)).toBeCloseTo((1 / Math.log2(3) + 3 / 2) / (3 + 1 / Math.log2(3)), 12);
    expect(averagePrecision([0, 2, 1], relevance)).toBeCloseTo((1 / 2 + 2 / 3) / 2, 12);
  });

  it('on the shop: the product that an unseen text was written for is among the first', async () => {
    const { ndcg10, mrr10 } = await measureModel(set, model);
    expect(ndcg10).toBeGreaterThan(0.68);
    expect(mrr10).toBeGreaterThan(0.65);
  });

  const cranfield = readJudgedSet('ir-cranfield');
  it.runIf(cranfield !== undefined)(
    'on Cranfield: better than BM25 and LSA with 256 dimensions (needs ELANUS_DATA)',
    async () => {
      const { ndcg10, map } = await measureQuality(cranfield!);
      const file = join(process.env['ELANUS_DATA']!, 'ir-cranfield', 'baselines.json');
      const { ndcg10_map_r100: baselines } = JSON.parse(readFileSync(file, 'utf8')) as {
        ndcg10_map_r100: Record<string, number[]>;
      };
      for (const [method, numbers] of Object.entries(baselines)) {
        expect(ndcg10, method).toBeGreaterThan(numbers[0]!);
        expect(map, method).toBeGreaterThan(numbers[1]!);
      }
    },
  );

  it.runIf(cranfield === undefined)('on Cranfield: set ELANUS_DATA to the folder that holds ir-cranfield', ({ skip }) =>
    skip(),
  );
});

it('the text of a product has its title in the first line', () => {
  expect(productText({ title: 'Drum', description: 'Loud.' })).toBe('Drum\nLoud.');
});
