/**
 * What the caller should do about an error. The list is closed: a new code is a design decision.
 *
 * | code | do this |
 * |---|---|
 * | `invalid` | fix the call |
 * | `not-found`, `exists` | use another name |
 * | `conflict` | reload and try again |
 * | `stale` | reload the schema |
 * | `fenced` | stop: a newer owner exists |
 * | `locked` | another tab owns it |
 * | `unavailable` | retry; whether a write took effect is unknown |
 * | `overloaded` | retry later; nothing was done |
 * | `quota` | free space |
 * | `corrupt` | restore |
 * | `closed` | reopen |
 * | `aborted`, `timeout` | the caller stopped waiting |
 * | `unauthorized`, `forbidden` | get a token, or rights |
 * | `unsupported` | Milvus defines it, Elanus does not do it yet |
 * | `internal` | report a bug |
 */
export const ERROR_CODES = [
  'invalid',
  'not-found',
  'exists',
  'conflict',
  'stale',
  'fenced',
  'locked',
  'unavailable',
  'overloaded',
  'quota',
  'corrupt',
  'closed',
  'aborted',
  'timeout',
  'unauthorized',
  'forbidden',
  'unsupported',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Plain values that say where the error happened: a field, a key, a row number, an option. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export interface ErrorOptions {
  /** Milvus's number for this error on the wire; each code has a default. */
  readonly milvusCode?: number;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/** How an error crosses a boundary that drops what is not plain: Comlink, structuredClone, Durable Object RPC, HTTP. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly milvusCode: number;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** Milvus's codes (its `pkg/util/merr`) for errors that are thrown without one. */
const MILVUS_CODES: Readonly<Record<ErrorCode, number>> = {
  invalid: 1100,
  'not-found': 100,
  exists: 1100,
  conflict: 5,
  stale: 109,
  fenced: 2,
  locked: 2,
  unavailable: 2,
  overloaded: 8,
  quota: 7,
  corrupt: 5,
  closed: 2,
  aborted: 10000,
  timeout: 10001,
  unauthorized: 1800,
  forbidden: 1401,
  unsupported: 3000,
  internal: 5,
};

/** The one error class. Test `code`, never `instanceof`: errors are rebuilt on the other side of each boundary. */
export class ElanusError extends Error {
  readonly code: ErrorCode;
  readonly milvusCode: number;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    // The platform's own name for a stopped wait, so that code written for fetch recognises ours.
    this.name = code === 'aborted' ? 'AbortError' : code === 'timeout' ? 'TimeoutError' : 'ElanusError';
    this.code = code;
    this.milvusCode = options.milvusCode ?? MILVUS_CODES[code];
    this.details = options.details ?? {};
  }
}

const KNOWN: ReadonlySet<string> = new Set(ERROR_CODES);

/** The code of any thrown value; `internal` for what is not ours. */
export function codeOf(error: unknown): ErrorCode {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && KNOWN.has(code) ? (code as ErrorCode) : 'internal';
}

/** Makes any thrown value plain. A foreign error becomes `internal` and keeps its message. */
export function toPlainError(error: unknown): PlainError {
  const own = error as Partial<PlainError> | null | undefined;
  const code = codeOf(error);
  return {
    code,
    milvusCode: typeof own?.milvusCode === 'number' ? own.milvusCode : MILVUS_CODES[code],
    message: typeof own?.message === 'string' ? own.message : String(error),
    details: typeof own?.details === 'object' && own.details !== null ? own.details : {},
  };
}

/** Rebuilds an error from its plain form. */
export function fromPlainError(plain: PlainError): ElanusError {
  return new ElanusError(plain.code, plain.message, { milvusCode: plain.milvusCode, details: plain.details });
}
