import { ElanusError } from '../base/error.ts';
import type { Key } from './column.ts';
import { readConsistencyLevel } from './consistency.ts';
import { copyVector } from './entity-columns.ts';
import { toInt64 } from './int64.ts';
import { QUERY_VECTORS_MAX, REQUEST_BYTES_MAX, TOP_K_MAX } from './limits.ts';
import { badRequest, invalid, isEmpty, isRecord, kindOf, missingKey, readKey, show } from './reject.ts';
import {
  type CollectionMeta,
  type CollectionSchema,
  type ConsistencyLevel,
  type Field,
  isVector,
  metricOf,
} from './schema.ts';
import { checkSearchParams } from './search-params.ts';

export { refuseUnsupported } from './unsupported-keys.ts';

/** The body of a call, of which only the outermost shape is known. */
export type RequestBody = Readonly<Record<string, unknown>>;

/** Rows that a read gives when its body does not say how many. */
const LIMIT_DEFAULT = 100;

/** The level that a body asks for; `undefined` if it leaves it to the collection. */
export function consistencyOf(body: RequestBody): ConsistencyLevel | undefined {
  return readConsistencyLevel(readKey(body, 'consistencyLevel'), undefined);
}

/** How many rows to give, and how many to skip before them. A query may have no limit: 0 or less says so. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** `limit` (100 by default) and `offset` (0) of a body, within Milvus's window of 16,384 rows. */
export function pageOf(body: RequestBody, method: 'search'): Page;
export function pageOf(
  body: RequestBody,
  method: 'query',
): { readonly limit: number | undefined; readonly offset: number };
export function pageOf(
  body: RequestBody,
  method: 'query' | 'search',
): { readonly limit: number | undefined; readonly offset: number } {
  const limit = countIn(body, 'limit') ?? LIMIT_DEFAULT;
  const offset = countIn(body, 'offset') ?? 0;
  const details = { field: limit < 1 || limit > TOP_K_MAX ? 'limit' : 'offset' };
  const range = `it should be in range [1, ${TOP_K_MAX}], but got`;
  if (offset < 0 || offset > TOP_K_MAX) {
    throw invalid(`offset [${offset}] is invalid, it should be in range [0, ${TOP_K_MAX}], but got ${offset}`, {
      details: { field: 'offset' },
    });
  }
  const sum = limit + offset;
  if (method === 'search') {
    if (limit < 1 || limit > TOP_K_MAX) throw invalid(`topk [${limit}] is invalid, ${range} ${limit}`, { details });
    if (sum > TOP_K_MAX) throw invalid(`offset+topk [${sum}] is invalid, ${range} ${sum}`, { details });
    return { limit, offset };
  }
  if (limit <= 0) return { limit: undefined, offset };
  if (sum <= TOP_K_MAX) return { limit, offset };
  throw invalid(
    `invalid max query result window, (offset+limit) should be in range [1, ${TOP_K_MAX}], but got ${sum}: invalid parameter`,
    { details },
  );
}

/** What a search looks for, and in which field. */
export interface SearchPlan {
  readonly field: Field;
  /** `queryCount × dimension` values. */
  readonly queries: Float32Array;
  readonly queryCount: number;
}

/** `annsField`, `data` and `searchParams` of a search, checked against the collection. */
export function searchPlan(body: RequestBody, meta: CollectionMeta): SearchPlan {
  const field = vectorFieldOf(readKey(body, 'annsField'), meta.schema);
  checkSearchParams(readKey(body, 'searchParams'), metricOf(meta, field.id));
  return { field, ...searchVectors(readKey(body, 'data'), field) };
}

/** The vector field that `annsField` names, or the only one. */
export function vectorFieldOf(name: unknown, schema: CollectionSchema): Field {
  const fields = schema.fields.filter(isVector);
  if (isEmpty(name)) {
    const [first] = fields;
    if (first !== undefined && fields.length === 1) return first;
    const names = fields.map((field) => field.name).join(', ');
    throw badRequest(`search without annsField, but already found multiple vector fields: [${names},,,]`, {
      field: 'annsField',
    });
  }
  if (typeof name !== 'string') throw badRequest('annsField must be a string', { field: 'annsField' });
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined)
    throw badRequest(`cannot find a vector field named: ${name}: field not found[field=${name}]`, { field: name });
  if (isVector(field)) return field;
  throw badRequest(`field ${name} is no vector field, its type is ${field.type}`, { field: name });
}

/** The query vectors of a search, one after the other. */
export function searchVectors(
  data: unknown,
  { name, dimension = 0 }: Field,
): { readonly queries: Float32Array; readonly queryCount: number } {
  if (isEmpty(data)) {
    throw invalid("either 'ids' (for primary key search) or 'data' (for vector search) must be provided", {
      milvusCode: 1802,
      details: { field: 'data' },
    });
  }
  if (!Array.isArray(data))
    throw badRequest(`data must be a list of query vectors, got ${kindOf(data)}`, { field: 'data' });
  const queryCount = data.length;
  if (queryCount > QUERY_VECTORS_MAX) {
    throw invalid(
      `nq [${queryCount}] is invalid, nq (number of search vector per search request) should be in range [1, ${QUERY_VECTORS_MAX}], but got ${queryCount}`,
      { details: { field: 'data' } },
    );
  }
  const bytes = queryCount * dimension * Float32Array.BYTES_PER_ELEMENT;
  if (bytes > REQUEST_BYTES_MAX) {
    throw invalid(
      `the query vectors take ${bytes} bytes, more than the ${REQUEST_BYTES_MAX} of one request: split it`,
      {
        milvusCode: 1102,
        details: { field: 'data' },
      },
    );
  }
  const queries = new Float32Array(queryCount * dimension);
  for (let query = 0; query < queryCount; query++) {
    const vector: unknown = data[query];
    const where = { field: name, query };
    const isList = Array.isArray(vector) || vector instanceof Float32Array || vector instanceof Float64Array;
    if (!isList) {
      throw badRequest(`data must hold vectors of ${dimension} numbers each, got ${kindOf(vector)} at ${query}`, where);
    }
    if (vector.length !== dimension) {
      throw badRequest(
        `dimension: ${dimension}, but length of []float: ${vector.length}: invalid parameter[expected=FloatVector][actual=${shorten(vector)}]`,
        where,
      );
    }
    const flaw = copyVector(vector, queries, query * dimension);
    if (flaw !== undefined) throw badRequest(`query vector ${query} ${flaw}`, where);
  }
  return { queries, queryCount };
}

/** The primary keys that a get or a delete names: one or a list; a number names the VarChar key of its digits. */
export function toKeys(ids: unknown, field: Field): Key[] {
  if (ids === undefined || ids === null || (Array.isArray(ids) && ids.length === 0))
    throw missingKey('CollectionIDReq', 'id');
  const list: readonly unknown[] = Array.isArray(ids) ? ids : [ids];
  return list.map((id) => {
    const key = field.type === 'Int64' ? toInt64(id) : toTextKey(id);
    if (key !== undefined) return key;
    const advice = Number.isInteger(id)
      ? 'beyond ±(2^53 - 1) a number is no longer exact, give a bigint or a decimal string'
      : `the primary key ${field.name} is ${field.type}`;
    throw new ElanusError(
      'invalid',
      `please check the primary key and its' type can only in [int, string], error: ${show(id)} is no key: ${advice}`,
      { milvusCode: 1806, details: { field: field.name, key: show(id) } },
    );
  });
}

function toTextKey(id: unknown): string | undefined {
  if (typeof id === 'string') return id.isWellFormed() ? id : undefined;
  return typeof id === 'bigint' || (typeof id === 'number' && Number.isFinite(id)) ? String(id) : undefined;
}

/** An integer of a body, `undefined` if it is absent; JSON has no other numbers for a Go int. */
function countIn(body: RequestBody, key: string): number | undefined {
  const value = readKey(body, key);
  if (value === undefined || value === null) return undefined;
  const count = typeof value === 'bigint' ? Number(value) : value;
  if (typeof count === 'number' && Number.isSafeInteger(count)) return count + 0;
  throw badRequest(`${key} must be an integer, got ${isRecord(value) ? 'a JSON object' : show(value)}`, { field: key });
}

function shorten(vector: ArrayLike<unknown>): string {
  const shown = Array.from({ length: Math.min(vector.length, 4) }, (_, index) => show(vector[index]));
  return `[[${shown.join(' ')}${vector.length > shown.length ? ' …' : ''}]]`;
}
