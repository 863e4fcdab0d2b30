import { ElanusError } from '../base/error.ts';
import { parseJson, stringifyJson } from '../base/json.ts';
import type { Info } from '../elanus.ts';
import type { Connection, ConnectionCallOptions } from './connection.ts';
import { decodeResult, type Envelope, errorOf, isEnvelope } from './http-envelope.ts';

/** What is used of `fetch`. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body: string; signal?: AbortSignal },
) => Promise<{ readonly status: number; text(): Promise<string> }>;

/** Where the edge is, and by what it knows the caller. */
export interface HttpConnectionOptions {
  /** Where the instance answers; the API lies below it at `/v2/`. */
  readonly url: string;
  readonly token?: string;
  /** The host's own by default. */
  readonly fetch?: Fetch;
}

/** Where each method lies below `/v2/vectordb/`. */
const PATHS: Readonly<Record<string, string>> = {
  createCollection: 'collections/create',
  listCollections: 'collections/list',
  hasCollection: 'collections/has',
  describeCollection: 'collections/describe',
  dropCollection: 'collections/drop',
  getCollectionStatistics: 'collections/get_stats',
  loadCollection: 'collections/load',
  releaseCollection: 'collections/release',
  getCollectionLoadState: 'collections/get_load_state',
  flush: 'collections/flush',
  insert: 'entities/insert',
  upsert: 'entities/upsert',
  delete: 'entities/delete',
  get: 'entities/get',
  query: 'entities/query',
  count: 'entities/query',
  search: 'entities/search',
};

const WRITES: ReadonlySet<string> = new Set(['createCollection', 'dropCollection', 'insert', 'upsert', 'delete']);
const COUNT_FIELD = 'count(*)';

/** Milvus's REST API v2 as a connection: what the engine would answer in this thread comes back from an edge. */
export class HttpConnection implements Connection {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #fetch: Fetch;
  #closed = false;

  constructor(options: HttpConnectionOptions) {
    this.#base = options.url.replace(/\/+$/, '');
    this.#headers = {
      'Content-Type': 'application/json',
      'Accept-Type-Allow-Int64': 'true',
      'Elanus-Client': '1',
      ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
    };
    // Called as a function and not as a method: browsers refuse a `fetch` whose `this` is another object.
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
  }

  async call(method: string, body: unknown, options: ConnectionCallOptions = {}): Promise<unknown> {
    const path = Object.hasOwn(PATHS, method) ? PATHS[method] : undefined;
    if (path === undefined) throw new ElanusError('unsupported', `There is no method ${method} over HTTP.`);
    const isCount = method === 'count';
    const sent = isCount ? { ...(body as object), outputFields: [COUNT_FIELD] } : body;
    const envelope = await this.#post(`/v2/vectordb/${path}`, sent, WRITES.has(method), options.signal);
    const result = decodeResult(envelope, method === 'search');
    return isCount ? Number((result as Record<string, bigint>[])[0]?.[COUNT_FIELD]) : result;
  }

  async info(): Promise<Info> {
    return (await this.#post('/v2/elanus/info', {}, false, undefined)).data as Info;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async destroy(): Promise<void> {
    throw new ElanusError(
      'unsupported',
      'A database behind HTTP cannot be destroyed by a client; drop its collections.',
    );
  }

  async #post(path: string, body: unknown, writes: boolean, signal: AbortSignal | undefined): Promise<Envelope> {
    if (this.#closed) throw new ElanusError('closed', 'The connection is closed; connect again.');
    const url = this.#base + path;
    const text = stringifyJson(body);
    const outcome = writes ? { outcome: 'unknown' } : {};
    let status: number;
    let answer: string;
    try {
      const init = { method: 'POST', headers: this.#headers, body: text };
      const response = await this.#fetch(url, signal === undefined ? init : { ...init, signal });
      status = response.status;
      answer = await response.text();
    } catch (error) {
      if (signal?.aborted === true) {
        throw new ElanusError('aborted', 'The caller stopped waiting.', { cause: error, details: outcome });
      }
      throw new ElanusError('unavailable', `No answer from ${url}: ${String((error as Error)?.message ?? error)}`, {
        cause: error,
        details: outcome,
      });
    }
    const envelope = parseEnvelope(answer);
    if (envelope?.code === 0) return envelope;
    throw errorOf(envelope, { status, url, writes });
  }
}

function parseEnvelope(text: string): Envelope | undefined {
  try {
    const parsed = parseJson(text);
    return isEnvelope(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
