import { ElanusError, type ErrorCode } from '../base/error.ts';

/** A text of a server in an error message. */
const SAID_MAX = 300;

/** An answer that is no success. */
export interface Refusal {
  readonly url: string;
  readonly status: number;
  /** The header, if there was one. */
  readonly retryAfter: string | null;
  readonly text: string;
  /** What must not stand in a message, even if the server repeats it. */
  readonly secrets: readonly string[];
}

/** The error behind a refusal: what the caller should do, the server's own words, and whether to ask again. */
export function refusal({ url, status, retryAfter, text, secrets }: Refusal): ElanusError {
  const answer = parse(text);
  // OpenAI's way to say that nothing is left to spend: waiting does not help.
  const isSpent = status === 429 && text.includes('insufficient_quota');
  const isRetryable = !isSpent && (status === 408 || status === 429 || status >= 500);
  const pauseMs = isRetryable ? pauseOf(retryAfter) : undefined;
  const said = secrets.reduce((words, secret) => words.replaceAll(secret, '…'), wordsOf(answer, text));
  return new ElanusError(codeOf(status), `${url} answered with status ${status}${said === '' ? '' : `: ${said}`}`, {
    details: { url, status, retryable: isRetryable, ...(pauseMs === undefined ? {} : { retryAfterMs: pauseMs }) },
  });
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 429) return 'overloaded';
  return status === 408 || status >= 500 ? 'unavailable' : 'invalid';
}

/** Milliseconds that a `Retry-After` asks for: seconds, or a date. */
function pauseOf(header: string | null): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  const pauseMs = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(pauseMs) ? undefined : Math.max(0, pauseMs);
}

/** OpenAI says `error.message`, others `error`, `message` or `detail`. */
function wordsOf(answer: unknown, text: string): string {
  const { error, message, detail } = (answer ?? {}) as Record<string, unknown>;
  const candidates = [(error as { message?: unknown } | null | undefined)?.message, error, message, detail];
  const said = candidates.find((candidate) => typeof candidate === 'string') ?? text;
  const words = (said as string).trim();
  return words.length > SAID_MAX ? `${words.slice(0, SAID_MAX)}…` : words;
}

/** What an answer must hold. */
export interface Expected {
  readonly url: string;
  readonly count: number;
  readonly dimension: number;
}

/**
 * The vectors of a successful answer, in the order of the texts: by `index` where the server gives it, as numbers or as
 * base64 of little-endian floats, whichever it chose. Throws `invalid` for anything else.
 */
export function embeddingsIn(text: string, { url, count, dimension }: Expected): Float32Array[] {
  const data = (parse(text) as { data?: unknown } | null | undefined)?.data;
  if (!Array.isArray(data)) {
    throw wrongAnswer(url, 'without a list of embeddings in `data`. Is this the address of an embeddings endpoint?');
  }
  if (data.length !== count) throw wrongAnswer(url, `with ${data.length} embeddings for ${count} texts.`);
  const vectors = new Array<Float32Array | undefined>(count).fill(undefined);
  for (const [at, entry] of (data as ({ index?: unknown; embedding?: unknown } | null)[]).entries()) {
    const index = entry?.index ?? at;
    if (typeof index !== 'number' || !(index in vectors) || vectors[index] !== undefined) {
      throw wrongAnswer(url, `whose embeddings do not have one \`index\` of 0 to ${count - 1} each.`);
    }
    const vector = vectorOf(entry?.embedding);
    if (vector === undefined) {
      throw wrongAnswer(url, `whose embedding ${index} is neither a list of numbers nor base64 of floats.`);
    }
    if (vector.length !== dimension) {
      throw wrongAnswer(
        url,
        `with ${vector.length} values in an embedding, where \`dimension\` says ${dimension}. If the model can make vectors of that length, ask for it: \`parameters: () => ({ dimensions: ${dimension} })\`.`,
      );
    }
    vectors[index] = vector;
  }
  return vectors as Float32Array[];
}

function vectorOf(embedding: unknown): Float32Array | undefined {
  if (Array.isArray(embedding)) {
    return embedding.every((value) => typeof value === 'number') ? Float32Array.from(embedding as number[]) : undefined;
  }
  return typeof embedding === 'string' ? floatsOf(embedding) : undefined;
}

function floatsOf(base64: string): Float32Array | undefined {
  let binary: string;
  try {
    binary = atob(base64);
  } catch {
    return undefined;
  }
  if (binary.length % 4 !== 0) return undefined;
  const view = new DataView(new ArrayBuffer(binary.length));
  for (let at = 0; at < binary.length; at++) view.setUint8(at, binary.charCodeAt(at));
  return Float32Array.from({ length: binary.length / 4 }, (_, at) => view.getFloat32(4 * at, true));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wrongAnswer(url: string, what: string): ElanusError {
  return new ElanusError('invalid', `${url} gave an answer ${what}`, { details: { url } });
}
