import { crc32c } from '../../../core/base/crc32c.ts';
import type { Embedder } from '../../../core/elanus.ts';

/** What a call of the embedder was asked for. */
export interface EmbedCall {
  readonly texts: readonly string[];
  readonly kind: 'document' | 'query';
}

/** An embedder that writes down its calls. */
export interface LetterEmbedder extends Embedder {
  readonly calls: EmbedCall[];
}

/** The vector of a text: it depends on every byte of it, and on its kind. */
export function vectorOfText(text: string, kind: 'document' | 'query'): Float32Array {
  const hash = crc32c(new TextEncoder().encode(`${kind} ${text}`));
  return Float32Array.from({ length: 4 }, (_, at) => ((hash >>> (8 * at)) & 255) + 1);
}

/**
 * A model of four dimensions whose vectors are numbers out of the text.
 *
 * @param options.before runs at the start of each call, with the calls so far; what it throws, the embedder throws
 */
export function letterEmbedder(
  options: Partial<Embedder> & { readonly before?: (callCount: number) => Promise<void> | void } = {},
): LetterEmbedder {
  const { before, ...rest } = options;
  const calls: EmbedCall[] = [];
  return {
    model: 'letters',
    dimension: 4,
    async embed(texts, { kind }) {
      calls.push({ texts: [...texts], kind });
      await before?.(calls.length);
      return texts.map((text) => vectorOfText(text, kind));
    },
    ...rest,
    calls,
  };
}
