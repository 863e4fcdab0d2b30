import { ElanusError } from '../base/error.ts';
import type { Embedder } from '../elanus.ts';
import { DIMENSION_MAX } from '../model/limits.ts';
import { embeddingsIn, refusal } from './openai-answer.ts';

/** Which endpoint embeds, and with what. */
export interface OpenAiEmbedderOptions {
  /** The endpoint itself: `https://api.openai.com/v1/embeddings`, or that of any server with the same calls. */
  readonly url: string | { readonly href: string };
  /** Sent as `Authorization: Bearer …`; in a page everybody who opens it can read it. */
  readonly apiKey?: string;
  /** Further headers, such as `api-key`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The model as the endpoint knows it; a collection remembers it. */
  readonly model: string;
  /** Values of the model's vectors; an answer of another length is an error. */
  readonly dimension: number;
  /** Further keys of the request, such as `dimensions` or `input_type`. */
  readonly parameters?: (kind: 'document' | 'query') => Readonly<Record<string, unknown>>;
  /** What stands before each text; E5 and its kin want `passage: ` and `query: `. */
  readonly prefix?: { readonly document?: string; readonly query?: string };
  /** `base64` makes answers four times smaller, where the endpoint knows it; by default it is not asked for. */
  readonly encodingFormat?: 'float' | 'base64';
  /** Texts of one request; 64 by default. */
  readonly batchSize?: number;
  /** Requests under way at once; 1 by default. */
  readonly concurrency?: number;
}

/**
 * An embedder behind an endpoint with the calls of OpenAI's `/v1/embeddings`: OpenAI, Mistral, vLLM, llama.cpp, Ollama,
 * LM Studio and others. Throws `invalid` for options that cannot be right; nothing is sent until something is embedded.
 *
 * A busy endpoint (429, 408, 5xx) or none at all is asked again, after `Retry-After` where it says so. Its refusals are
 * `unauthorized`, `forbidden`, `not-found`, `invalid`, `overloaded` or `unavailable`, with its own words and without
 * the key. A page needs an endpoint that allows its origin (CORS).
 */
export function openAiEmbedder(options: OpenAiEmbedderOptions): Embedder {
  const { model, dimension, apiKey, prefix, parameters } = options;
  const url = addressOf(options.url);
  if (typeof model !== 'string' || model === '') throw wrongOption('model', 'the name of a model');
  if (!Number.isSafeInteger(dimension) || dimension < 1 || dimension > DIMENSION_MAX) {
    throw wrongOption('dimension', `the number of values of the model's vectors, at most ${DIMENSION_MAX}`);
  }
  // Checked, because an error about a header may show its value.
  const headers = { ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }), ...options.headers };
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\x20-\x7e]+$/.test(value)) {
      throw wrongOption(
        name === 'Authorization' ? 'apiKey' : name,
        'printable ASCII on one line, without a line break',
      );
    }
  }
  const secrets = [apiKey, ...Object.values(options.headers ?? {})].filter((secret) => secret !== undefined);
  const endpoint: Endpoint = { url, headers, secrets };
  const variant = variantOf(options);
  return {
    model,
    dimension,
    ...(variant === undefined ? {} : { variant }),
    ...(options.batchSize === undefined ? {} : { batchSize: options.batchSize }),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    async embed(texts, { kind, signal }) {
      const before = prefix?.[kind] ?? '';
      const body = {
        model,
        input: before === '' ? texts : texts.map((text) => before + text),
        ...(options.encodingFormat === undefined ? {} : { encoding_format: options.encodingFormat }),
        ...parameters?.(kind),
      };
      const answer = await post(endpoint, body, signal);
      return embeddingsIn(answer, { url: shown(url), count: texts.length, dimension });
    },
  };
}

interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

async function post({ url, headers, secrets }: Endpoint, body: unknown, signal?: AbortSignal): Promise<string> {
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  };
  let status: number;
  let retryAfter: string | null;
  let text: string;
  try {
    const response = await fetch(url, init);
    status = response.status;
    retryAfter = response.headers.get('Retry-After');
    text = await response.text();
  } catch (cause) {
    const message = String((cause as Error | null)?.message ?? cause);
    throw new ElanusError(
      'unavailable',
      `No answer from ${shown(url)}: ${message}. Is it running, is there a network, and does it allow this origin?`,
      { cause, details: { url: shown(url), retryable: signal?.aborted !== true } },
    );
  }
  if (status >= 200 && status < 300) return text;
  throw refusal({ url: shown(url), status, retryAfter, text, secrets });
}

/** What the vectors depend on beside model and text. */
function variantOf({ prefix, parameters }: OpenAiEmbedderOptions): string | undefined {
  if (prefix === undefined && parameters === undefined) return undefined;
  return JSON.stringify([prefix?.document, prefix?.query, parameters?.('document'), parameters?.('query')]);
}

function addressOf(option: OpenAiEmbedderOptions['url']): string {
  const url = typeof option === 'string' ? option : option?.href;
  if (typeof url === 'string' && /^https?:\/\/[^/]/.test(url) && URL.canParse(url)) {
    // `fetch` refuses them, and says them.
    const { username, password } = new URL(url);
    if (username === '' && password === '') return url;
  }
  throw wrongOption(
    'url',
    'the address of an embeddings endpoint, with http:// or https:// and without a name and password',
  );
}

/** The address without what may be secret in it. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

function wrongOption(option: string, expected: string): ElanusError {
  return new ElanusError('invalid', `openAiEmbedder needs as \`${option}\` ${expected}.`, { details: { option } });
}
