import { crc32c } from '../../core/base/crc32c.ts';
import { ElanusError } from '../../core/base/error.ts';
import { seededRandom } from '../../core/base/random.ts';
import type { Embedder } from '../../core/elanus.ts';
import { decodeModel, type EmbeddingModel } from './model-format.ts';
import { SpellingGuesser } from './spelling.ts';
import { countTerms, localWeight, type TermCounts } from './term-counts.ts';
import { stem, words } from './tokenizer.ts';

export type { Embedder };

/** Unknown words are few and come again while somebody types; beyond these the oldest are forgotten. */
const GUESSED_WORDS_MAX = 1000;
/** A guess may be wrong: the word as it was typed keeps this part of the weight of a known one. */
const UNKNOWN_WORD_SHARE = 0.3;

/**
 * An embedder from the bytes of a model (`model-format.ts`): no network, no other state.
 *
 * A vector has two parts. The *topic* part is the sum of the trained vectors of the terms (LSA): it is near for texts
 * that use related words. The *spelling* part is the sum of a pseudo-random vector for each term, made from the term's
 * letters: it is near for texts that share words, rare names and model numbers among them, which the topics blur. Both
 * are scaled to fixed lengths, and the whole to length 1.
 *
 * - `document`: the first line is the title and counts more. Words without a trained vector count for the spelling only.
 * - `query`: a word that the vocabulary lacks also stands for the terms that it begins or nearly spells (`spelling.ts`),
 *   one that it has but without a trained vector for those that it begins.
 * - A text without any word (empty, punctuation, stop words alone) gives the *zero vector*: it is equally near to
 *   everything. Search pages treat it as "nothing typed yet".
 * - The same text and model give the same bits, alone or in a list, in one JavaScript engine.
 *
 * Rejects with `corrupt` or `unsupported` if the bytes are not a model that this version reads, and `embed` with
 * `aborted` once its signal is.
 */
export function loadEmbedder(bytes: Uint8Array): Embedder {
  const model = decodeModel(bytes);
  // Without the checksum at the end: the CRC of bytes and their own CRC is the same number for all bytes.
  const fingerprint = crc32c(bytes.subarray(0, -4)).toString(16).padStart(8, '0');
  const embedding = new Embedding(model);
  return {
    model: `elanus-lsa-${model.topicDimension}+${model.spellingDimension}-${fingerprint}`,
    dimension: model.topicDimension + model.spellingDimension,
    async embed(texts, { kind, signal }) {
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        if (signal?.aborted) throw new ElanusError('aborted', 'Embedding was stopped.', { cause: signal.reason });
        vectors.push(kind === 'query' ? embedding.query(text) : embedding.document(text));
      }
      return vectors;
    },
  };
}

class Embedding {
  readonly #model: EmbeddingModel;
  readonly #termByText: ReadonlyMap<string, number>;
  readonly #guesser: SpellingGuesser;
  readonly #guessed = new Map<string, ReadonlyMap<string, number>>();
  readonly #termByWord = new Map<string, string>();

  constructor(model: EmbeddingModel) {
    this.#model = model;
    this.#termByText = new Map(model.terms.map((text, term) => [text, term]));
    this.#guesser = new SpellingGuesser(model.terms, model.documentCounts);
  }

  document(text: string): Float32Array {
    return this.#vector(countTerms(text, this.#model.titleWeight, (word) => this.#stem(word)));
  }

  query(text: string): Float32Array {
    const counts = new Map<string, number>();
    for (const word of words(text)) {
      const term = stem(word);
      const known = (this.#termByText.get(term) ?? Number.POSITIVE_INFINITY) < this.#model.scales.length;
      for (const [text, share] of known ? [[term, 1] as const] : this.#guess(word, term)) {
        counts.set(text, (counts.get(text) ?? 0) + share);
      }
    }
    return this.#vector(counts);
  }

  /** Texts repeat their words: the rules of the stemmer are asked once for each of the first hundred thousand. */
  #stem(word: string): string {
    let term = this.#termByWord.get(word);
    if (term === undefined) {
      term = stem(word);
      if (this.#termByWord.size < 100_000) this.#termByWord.set(word, term);
    }
    return term;
  }

  #guess(word: string, term: string): ReadonlyMap<string, number> {
    let guess = this.#guessed.get(word);
    if (guess === undefined) {
      const isTerm = this.#termByText.has(term);
      const found = isTerm ? this.#guesser.guessBeginning(word, term) : this.#guesser.guess(word, term);
      const shares = found.map(({ term, share }) => [this.#model.terms[term] ?? '', share] as const);
      guess = new Map([...shares, [term, isTerm || found.length === 0 ? 1 : UNKNOWN_WORD_SHARE]]);
      if (this.#guessed.size >= GUESSED_WORDS_MAX) this.#guessed.delete(this.#guessed.keys().next().value ?? '');
      this.#guessed.set(word, guess);
    }
    return guess;
  }

  #vector(counts: TermCounts): Float32Array {
    const { topicDimension, spellingDimension, spellingShare, scales, vectors, weights } = this.#model;
    const topic = new Float64Array(topicDimension);
    const spelling = new Float64Array(spellingDimension);
    for (const [text, count] of counts) {
      const term = this.#termByText.get(text);
      const value = localWeight(count) * (term === undefined ? 1 : (weights[term] as number) / 255);
      addSigns(spelling, text, value);
      if (term === undefined || term >= scales.length) continue;
      const factor = value * (scales[term] as number);
      const start = term * topicDimension;
      for (let index = 0; index < topicDimension; index++) {
        topic[index] = (topic[index] as number) + factor * (vectors[start + index] as number);
      }
    }
    const vector = new Float32Array(topicDimension + spellingDimension);
    const topicLength = lengthOf(topic);
    const spellingLength = lengthOf(spelling);
    const topicScale = topicLength === 0 ? 0 : 1 / topicLength;
    const spellingScale = spellingLength === 0 ? 0 : spellingShare / spellingLength;
    const whole = Math.sqrt((topicLength === 0 ? 0 : 1) + (spellingLength === 0 ? 0 : spellingShare ** 2));
    if (whole === 0) return vector;
    for (const [index, value] of topic.entries()) vector[index] = (value * topicScale) / whole;
    for (const [index, value] of spelling.entries()) vector[topicDimension + index] = (value * spellingScale) / whole;
    return vector;
  }
}

/** Adds +value or −value to each place, by the bits of a hash of the text: nearly orthogonal for different texts. */
function addSigns(target: Float64Array, text: string, value: number): void {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  const random = seededRandom(hash);
  for (let start = 0; start < target.length; start += 32) {
    const bits = random();
    const end = Math.min(32, target.length - start);
    for (let bit = 0; bit < end; bit++) {
      target[start + bit] = (target[start + bit] as number) + (bits & (1 << bit) ? value : -value);
    }
  }
}

function lengthOf(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
