import { codeOf, ElanusError, type ErrorDetails } from '../base/error.ts';
import type { Embedder } from '../elanus.ts';
import { EMBED_ATTEMPTS_MAX, EMBED_BACKOFF_MS, EMBED_PAUSE_MS_MAX } from '../model/limits.ts';
import { pause, unlessAborted } from './call.ts';

/** How a batch is embedded. */
export interface EmbedOptions {
  readonly kind: 'document' | 'query';
  readonly signal: AbortSignal;
}

/**
 * One batch of texts, embedded and checked; tried again where the embedder says that this may help. Rejects with the
 * signal's reason as soon as it is aborted, whether or not the embedder heeds it.
 */
export async function embedBatch(
  embedder: Embedder,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<Float32Array[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer: unknown = await unlessAborted(options.signal, () => embedder.embed(texts, options));
      return checkedVectors(embedder, texts.length, answer);
    } catch (error) {
      if (options.signal.aborted) throw options.signal.reason;
      const pauseMs = pauseAfter(error, attempt);
      if (pauseMs === undefined) throw ownError(embedder, error);
      await pause(pauseMs, options.signal);
    }
  }
}

/** Milliseconds until the next attempt; `undefined` if there is to be none. */
function pauseAfter(error: unknown, attempt: number): number | undefined {
  const details = (error as { details?: ErrorDetails } | null | undefined)?.details;
  if (details?.['retryable'] !== true || attempt >= EMBED_ATTEMPTS_MAX) return undefined;
  const asked = details['retryAfterMs'];
  const pauseMs = typeof asked === 'number' && asked >= 0 ? asked : EMBED_BACKOFF_MS * 2 ** (attempt - 1);
  return pauseMs <= EMBED_PAUSE_MS_MAX ? pauseMs : undefined;
}

/** An error of ours as it is; whatever else an embedder throws is its failure, and not a bug of this engine. */
function ownError(embedder: Embedder, error: unknown): unknown {
  if (codeOf(error) !== 'internal') return error;
  const message = String((error as Error | null | undefined)?.message ?? error);
  return new ElanusError('unavailable', `The embedder ${embedder.model} failed: ${message}`, { cause: error });
}

/** Throws `invalid` unless the answer has one finite vector of the right length for each text. */
function checkedVectors(embedder: Embedder, count: number, answer: unknown): Float32Array[] {
  const { dimension } = embedder;
  if (!Array.isArray(answer)) throw wrongAnswer(embedder, `gave ${tagOf(answer)} instead of a list of vectors`);
  if (answer.length !== count) throw wrongAnswer(embedder, `gave ${answer.length} vectors for ${count} texts`);
  return answer.map((vector: unknown, at) => {
    if (!isFloat32Array(vector)) {
      throw wrongAnswer(embedder, `gave ${tagOf(vector)} instead of a Float32Array for text ${at}`);
    }
    if (vector.length !== dimension) {
      throw wrongAnswer(embedder, `gave ${vector.length} values instead of ${dimension} for text ${at}`);
    }
    if (!isFinite32(vector)) {
      throw wrongAnswer(embedder, `gave a vector with a value that is no finite number for text ${at}`);
    }
    // Copied, because an embedder may fill the same buffer again, and a view would keep the whole batch in the cache.
    return vector.slice();
  });
}

/** Whether a vector that was kept somewhere is one that the embedder could have given. */
export function fits(embedder: Embedder, vector: unknown): vector is Float32Array {
  return isFloat32Array(vector) && vector.length === embedder.dimension && isFinite32(vector);
}

// Not `instanceof`: an array of another frame is as good.
function isFloat32Array(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Float32Array]';
}

function isFinite32(vector: Float32Array): boolean {
  let sum = 0;
  // A value that is not finite times zero is NaN, and stays in the sum.
  for (let at = 0; at < vector.length; at++) sum += (vector[at] as number) * 0;
  return sum === 0;
}

function wrongAnswer(embedder: Embedder, what: string): ElanusError {
  const { model, dimension } = embedder;
  return new ElanusError('invalid', `The embedder ${model} ${what}; it must give one of ${dimension} values each.`, {
    details: { model, dimension },
  });
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
