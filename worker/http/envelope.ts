import { type ElanusError, fromPlainError, toPlainError } from '../../core/base/error.ts';
import { stringifyJson } from '../../core/base/json.ts';
import type { Endpoint } from './endpoints.ts';
import { fieldKinds } from './field-kinds.ts';

/** How a request wants its answer. */
export interface AnswerOptions {
  /** Milvus's `Accept-Type-Allow-Int64`: Int64 values are JSON numbers, otherwise strings. */
  readonly allowInt64: boolean;
  /**
   * Elanus's own client: the answer also says which fields are Int64 and which are vectors, and an error carries
   * Elanus's code, so that the client gives exactly what the engine gave.
   */
  readonly isOwnClient: boolean;
}

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };

/** Milvus's envelope round what a method of the proxy resolved to. */
export function success(result: unknown, endpoint: Endpoint, options: AnswerOptions): Response {
  const envelope: Record<string, unknown> = { code: 0 };
  if (endpoint.hasCost === true) envelope['cost'] = 0;
  let data = result;
  if (endpoint.method === 'search') {
    const lists = result as readonly unknown[][];
    data = lists.flat();
    // Milvus leaves `topks` out if nothing was found at all; with it our client knows how many queries there were.
    if (options.isOwnClient || (data as unknown[]).length > 0) envelope['topks'] = lists.map(({ length }) => length);
  }
  const rows = rowsIn(data);
  const needsKinds = options.isOwnClient || !options.allowInt64;
  const { int64, vectors } = needsKinds ? fieldKinds(rows) : { int64: [], vectors: [] };
  if (options.isOwnClient) {
    if (int64.length > 0) envelope['int64Fields'] = int64;
    if (vectors.length > 0) envelope['vectorFields'] = vectors;
  }
  if (!options.allowInt64) for (const row of rows) for (const field of int64) row[field] = int64Text(row[field]);
  envelope['data'] = data;
  if (endpoint.hasMessage === true) envelope['message'] = '';
  return new Response(stringifyJson(envelope), { headers: JSON_TYPE });
}

/** Milvus's envelope round an error: HTTP 200, but for the few errors to which Milvus gives a status. */
export function failure(thrown: unknown, reads: boolean, isOwnClient: boolean): Response {
  const error = fromPlainError(toPlainError(thrown));
  const { status, code, message } = wireForm(error, reads);
  const own = isOwnClient ? { elanus: { code: error.code, milvusCode: error.milvusCode, details: error.details } } : {};
  return new Response(stringifyJson({ code, message, ...own }), { status, headers: JSON_TYPE });
}

function wireForm(error: ElanusError, reads: boolean): { status: number; code: number; message: string } {
  const { message, milvusCode } = error;
  switch (error.code) {
    case 'unauthorized':
      return { status: 401, code: 1800, message: "user hasn't authenticated" };
    case 'forbidden':
      return { status: 403, code: 65_535, message };
    case 'timeout':
      return { status: 408, code: 10_001, message: 'request timeout' };
    case 'overloaded':
      return reads ? { status: 429, code: 4, message } : { status: 200, code: milvusCode, message };
    default:
      // A body that was not read to its end must be refused in a way that everything on its route understands.
      return { status: error.details['reason'] === 'body-too-large' ? 413 : 200, code: milvusCode, message };
  }
}

function rowsIn(data: unknown): Record<string, unknown>[] {
  const rows = Array.isArray(data) ? data : [data];
  return rows.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row)) ? rows : [];
}

function int64Text(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return Array.isArray(value) ? value.map(int64Text) : value;
}
