import { seededRandom } from '../../core/base/random.ts';
import { clampDocumentCount, encodeModel } from './model-format.ts';
import { rightSingularVectors } from './svd.ts';
import { countTerms } from './term-counts.ts';
import { makeVocabulary, normalizeRows, weightedMatrix } from './term-matrix.ts';

export interface TrainingOptions {
  /** Trained dimensions. Default 128. */
  readonly topicDimension?: number;
  /** Hashed dimensions; they cost nothing in the model. Default 128. */
  readonly spellingDimension?: number;
  /** The length of the hashed part if that of the trained part is 1. Default 0.7. */
  readonly spellingShare?: number;
  /** How many times a word in a document's first line counts. Default 2. */
  readonly titleWeight?: number;
  /** A term has a trained vector if at least this many documents have it: each vector costs `topicDimension` bytes. Default 2. */
  readonly vectorDocumentsMin?: number;
  /** Whether long and short documents count the same in training. Default true. */
  readonly normalize?: boolean;
  /**
   * The exponent of the lengths of the trained vectors: 1 as the decomposition gives them, where common terms are much
   * longer than rare ones ("wireless" drowns "headphones"), 0 all alike. Default 0.5.
   */
  readonly lengthExponent?: number;
  /** Default 1. */
  readonly seed?: number;
}

/**
 * Trains the embedding model of a corpus (latent semantic analysis: Deerwester and others, 1990) and gives the bytes
 * that `loadEmbedder` takes. Each text is a document; its first line, if it has more, is its title.
 *
 * The same texts, options and seed give the same bytes (in one JavaScript engine: a logarithm may differ between two).
 * 4,000 products take four to five seconds.
 */
export function trainModel(texts: readonly string[], options: TrainingOptions = {}): Uint8Array<ArrayBuffer> {
  const { topicDimension = 128, spellingDimension = 128, spellingShare = 0.7 } = options;
  const { titleWeight = 2, vectorDocumentsMin = 2, normalize = true, lengthExponent = 0.5, seed = 1 } = options;
  const documents = texts.map((text) => countTerms(text, titleWeight));
  const vocabulary = makeVocabulary(documents, vectorDocumentsMin);
  const vectorCount = vocabulary.documentCounts.filter((count) => count >= vectorDocumentsMin).length;
  const matrix = weightedMatrix(documents, vocabulary, vectorCount);
  const vectors = rightSingularVectors(normalize ? normalizeRows(matrix) : matrix, topicDimension, seededRandom(seed));
  return encodeModel({
    topicDimension,
    spellingDimension,
    titleWeight,
    spellingShare,
    terms: vocabulary.terms,
    documentCounts: Uint16Array.from(vocabulary.documentCounts, clampDocumentCount),
    weights: Uint8Array.from(vocabulary.weights, (weight) => Math.round(weight * 255)),
    ...quantize(vectors, topicDimension, lengthExponent),
  });
}

/** Eight bits a value with one scale a row: rows differ much in length, values within a row little. */
function quantize(
  vectors: Float64Array,
  dimension: number,
  lengthExponent: number,
): { scales: Float32Array; vectors: Int8Array } {
  const scales = new Float32Array(vectors.length / dimension);
  const quantized = new Int8Array(vectors.length);
  for (const row of scales.keys()) {
    const values = vectors.subarray(row * dimension, (row + 1) * dimension);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = largest / 127;
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    scales[row] = length === 0 ? 0 : scale * length ** (lengthExponent - 1);
    for (const [index, value] of values.entries()) {
      quantized[row * dimension + index] = scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(value / scale)));
    }
  }
  return { scales, vectors: quantized };
}
