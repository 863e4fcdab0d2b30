/**
 * The file of the demo's embedding model, little-endian, everything in it needed to embed:
 *
 * ```
 * magic "ELEM" u32 | format version u16 | topic dimensions u16 | spelling dimensions u16 | 0 u16
 * title weight f32 | spelling share f32 | terms u32 | terms with a vector u32
 * terms      for each: bytes shared with the term before u8, bytes that follow u8, those bytes (UTF-8)
 * documents  for each term: documents of the corpus that have it, u16 (65,535 = that many or more)
 * weights    for each term: its weight · 255, u8
 * scales     aligned to 4; for each term with a vector f32
 * vectors    for each term with a vector: `topic dimensions` values i8; the value is i8 · scale
 * CRC-32C of all bytes before, u32
 * ```
 *
 * The first "terms with a vector" terms are those; each of the two groups is sorted, so that terms share beginnings.
 */
import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '../../core/base/bytes.ts';
import { crc32c } from '../../core/base/crc32c.ts';
import { ElanusError } from '../../core/base/error.ts';

const MAGIC = 0x4d454c45;
const FORMAT_VERSION = 1;
const SOURCE = 'The embedding model';
/** What the byte before a term can say; the tokenizer cuts words shorter. */
const TERM_BYTES_MAX = 255;
const DOCUMENT_COUNT_MAX = 0xffff;

/** A trained model as it lies in memory. */
export interface EmbeddingModel {
  /** Dimensions that say what a text is about (the part that is trained). */
  readonly topicDimension: number;
  /** Dimensions that say which words are in it (a hash of each; nothing is stored for them). */
  readonly spellingDimension: number;
  /** How many times each word of a document's first line counts. */
  readonly titleWeight: number;
  /** The length of the spelling part if that of the topic part is 1. */
  readonly spellingShare: number;
  readonly terms: readonly string[];
  readonly documentCounts: Uint16Array;
  /** 0 to 255 for 0 to 1. */
  readonly weights: Uint8Array;
  /** As many as there are terms with a vector: these come first in `terms`. */
  readonly scales: Float32Array;
  /** `scales.length` rows of `topicDimension` values. */
  readonly vectors: Int8Array;
}

/** The bytes of a model; the same model gives the same bytes. */
export function encodeModel(model: EmbeddingModel): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(model.vectors.length + model.terms.length * 16);
  writer.u32(MAGIC).u16(FORMAT_VERSION).u16(model.topicDimension).u16(model.spellingDimension).u16(0);
  writer.f32(model.titleWeight).f32(model.spellingShare).u32(model.terms.length).u32(model.scales.length);
  let before: Uint8Array = new Uint8Array(0);
  for (const term of model.terms) {
    const bytes = encodeUtf8(term);
    if (bytes.length > TERM_BYTES_MAX) {
      throw new ElanusError('invalid', `The term "${term}" has ${bytes.length} bytes; ${TERM_BYTES_MAX} is the most.`);
    }
    let shared = 0;
    while (shared < Math.min(before.length, bytes.length) && before[shared] === bytes[shared]) shared++;
    writer
      .u8(shared)
      .u8(bytes.length - shared)
      .raw(bytes.subarray(shared));
    before = bytes;
  }
  for (const count of model.documentCounts) writer.u16(count);
  writer.raw(model.weights).align(4);
  for (const scale of model.scales) writer.f32(scale);
  writer.raw(new Uint8Array(model.vectors.buffer, model.vectors.byteOffset, model.vectors.length));
  return writer.u32(crc32c(writer.finish())).finish();
}

/**
 * The model in these bytes, checked: rejects with `corrupt` what is cut off, changed or not a model at all, and with
 * `unsupported` a model of a later format.
 */
export function decodeModel(bytes: Uint8Array): EmbeddingModel {
  const reader = new ByteReader(bytes, SOURCE);
  if (reader.u32() !== MAGIC) throw corrupt('something else than an embedding model (its magic number is wrong)');
  const version = reader.u16();
  if (version !== FORMAT_VERSION) {
    throw new ElanusError(
      'unsupported',
      `${SOURCE} has format ${version}; this page reads ${FORMAT_VERSION}. Reload it.`,
    );
  }
  const stated = new ByteReader(bytes.subarray(-4), SOURCE).u32();
  if (crc32c(bytes.subarray(0, -4)) !== stated) throw corrupt('bytes that do not match its checksum');
  const topicDimension = reader.u16();
  const spellingDimension = reader.u16();
  reader.u16();
  const titleWeight = reader.f32();
  const spellingShare = reader.f32();
  const termCount = reader.u32();
  const vectorCount = reader.u32();
  if (topicDimension + spellingDimension === 0 || vectorCount > termCount) throw corrupt('sizes that cannot be');
  const terms = readTerms(reader, termCount);
  const documentCounts = Uint16Array.from(terms, () => reader.u16());
  const weights = reader.raw(termCount).slice();
  reader.align(4);
  const scales = Float32Array.from({ length: vectorCount }, () => reader.f32());
  const vectors = new Int8Array(reader.raw(vectorCount * topicDimension).slice().buffer);
  if (reader.remaining !== 4) throw corrupt(`${reader.remaining - 4} bytes too many`);
  return {
    topicDimension,
    spellingDimension,
    titleWeight,
    spellingShare,
    terms,
    documentCounts,
    weights,
    scales,
    vectors,
  };
}

/** A model's number of documents for a term, as it is stored. */
export function clampDocumentCount(count: number): number {
  return Math.min(count, DOCUMENT_COUNT_MAX);
}

function readTerms(reader: ByteReader, count: number): string[] {
  const terms: string[] = [];
  const buffer = new Uint8Array(2 * TERM_BYTES_MAX);
  for (let index = 0; index < count; index++) {
    const shared = reader.u8();
    const rest = reader.raw(reader.u8());
    buffer.set(rest, shared);
    terms.push(decodeUtf8(buffer.subarray(0, shared + rest.length)));
  }
  return terms;
}

function corrupt(what: string): ElanusError {
  return new ElanusError('corrupt', `${SOURCE} is damaged: it holds ${what}. Load it again.`, {
    details: { source: SOURCE },
  });
}
