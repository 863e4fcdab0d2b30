import { ElanusError, ERROR_CODES, type ErrorCode, type ErrorDetails } from '../base/error.ts';

/** Milvus's envelope, with what an edge adds to it for Elanus's own client. */
export interface Envelope {
  readonly code: number;
  readonly message?: string;
  readonly data?: unknown;
  readonly topks?: readonly number[];
  /** Fields whose values are Int64, or arrays of Int64. */
  readonly int64Fields?: readonly string[];
  /** Fields whose values are float vectors. */
  readonly vectorFields?: readonly string[];
  readonly elanus?: { readonly code: string; readonly milvusCode: number; readonly details: ErrorDetails };
}

/** Whether an answer is of REST v2 at all; what stands between may answer anything. */
export function isEnvelope(value: unknown): value is Envelope {
  return typeof (value as { code?: unknown } | null)?.code === 'number';
}

/** The `data` of an envelope as the engine gave it; a search's as one list for each query. */
export function decodeResult(envelope: Envelope, isSearch: boolean): unknown {
  const { data = {}, int64Fields = [], vectorFields = [], topks } = envelope;
  const rows = (Array.isArray(data) ? data : [data]) as Record<string, unknown>[];
  for (const field of int64Fields) {
    for (const row of rows) if (Object.hasOwn(row, field)) row[field] = toBigInt(row[field]);
  }
  for (const field of vectorFields) {
    for (const row of rows) {
      const value = row[field];
      if (Array.isArray(value)) row[field] = Float32Array.from(value as number[]);
    }
  }
  if (!isSearch) return data;
  const counts = topks ?? [rows.length];
  let at = 0;
  return counts.map((count) => {
    const hits = rows.slice(at, at + count);
    at += count;
    return hits;
  });
}

/** The error behind an answer: the edge's own if it sent one, otherwise what Milvus's code or the status says. */
export function errorOf(
  envelope: Envelope | undefined,
  answer: { readonly status: number; readonly url: string; readonly writes: boolean },
): ElanusError {
  const { status, url } = answer;
  const own = envelope?.elanus;
  if (own !== undefined && isErrorCode(own.code)) {
    return new ElanusError(own.code, envelope?.message ?? own.code, {
      milvusCode: own.milvusCode,
      details: withOutcome(own.code, own.details, answer.writes),
    });
  }
  if (envelope !== undefined) {
    const code = codeOfMilvus(envelope.code);
    return new ElanusError(code, envelope.message ?? `Error ${envelope.code} from ${url}.`, {
      milvusCode: envelope.code,
      details: withOutcome(code, {}, answer.writes),
    });
  }
  const code = codeOfStatus(status);
  const hint = code === 'invalid' ? ' Is this the address of an Elanus or Milvus instance?' : '';
  return new ElanusError(code, `${url} answered with status ${status} and no envelope.${hint}`, {
    details: withOutcome(code, { status }, answer.writes),
  });
}

function withOutcome(code: ErrorCode, details: ErrorDetails, writes: boolean): ErrorDetails {
  const isOpen = writes && (code === 'unavailable' || code === 'timeout');
  return isOpen && details['outcome'] === undefined ? { ...details, outcome: 'unknown' } : details;
}

function toBigInt(value: unknown): unknown {
  if (typeof value === 'number') return BigInt(value);
  return Array.isArray(value) ? value.map(toBigInt) : value;
}

function isErrorCode(code: string): code is ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(code);
}

/** For an edge that is not Elanus: Milvus's code is all there is. */
function codeOfMilvus(code: number): ErrorCode {
  switch (code) {
    case 1:
    case 2:
      return 'unavailable';
    case 4:
    case 8:
    case 9:
    case 1807:
      return 'overloaded';
    case 7:
      return 'quota';
    case 10:
    case 3000:
      return 'unsupported';
    case 100:
    case 200:
    case 700:
    case 800:
    case 1600:
      return 'not-found';
    case 109:
      return 'stale';
    case 1400:
    case 1800:
      return 'unauthorized';
    case 1401:
      return 'forbidden';
    case 10_000:
      return 'aborted';
    case 10_001:
      return 'timeout';
    default:
      return code >= 101 && code < 2000 ? 'invalid' : 'internal';
  }
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 408 || status === 504) return 'timeout';
  if (status === 429) return 'overloaded';
  return status >= 500 ? 'unavailable' : 'invalid';
}
