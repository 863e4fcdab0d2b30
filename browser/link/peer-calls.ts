import { codeOf, ElanusError, fromPlainError, type PlainError, toPlainError } from '../../core/base/error.ts';
import type { Endpoint } from './endpoint.ts';

/** A call on its way. */
interface CallMessage {
  readonly call: number;
  readonly role: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Its answer, or its error in plain form. */
interface AnswerMessage {
  readonly answer: number;
  readonly value?: unknown;
  readonly error?: PlainError;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Finds a role that answers at one end of a way; throws while there is none. */
export type FindRole = (name: string) => object | undefined;

/** Calls of roles at the other end of a way: any number at a time, each answered once, or failed when the way is. */
export class PeerCalls {
  /** Resolves when the way has ended. */
  readonly ended: Promise<void>;
  readonly #endpoint: Endpoint;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #failure: ElanusError | undefined;
  #onEnd: () => void = () => undefined;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.ended = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
    endpoint.listen((message) => this.#heard(message));
  }

  /** Rejects with what the other end threw, or with the error that `fail` was given. */
  call(role: string, method: string, args: readonly unknown[], transfer?: readonly Transferable[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      const call = this.#next++;
      this.#endpoint.post({ call, role, method, args } satisfies CallMessage, transfer);
      this.#waiting.set(call, { resolve, reject });
    });
  }

  /** Ends the way: all calls, those under way too, reject with this error. */
  fail(error: ElanusError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#endpoint.close();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
    this.#onEnd();
  }

  #heard(message: unknown): void {
    const { answer, value, error } = message as AnswerMessage;
    const waiting = this.#waiting.get(answer);
    if (waiting === undefined) return;
    this.#waiting.delete(answer);
    if (error === undefined) waiting.resolve(value);
    else waiting.reject(fromPlainError(error));
  }
}

/** Answers the calls that come over a way, for as long as it is open. */
export function answerCalls(endpoint: Endpoint, find: FindRole): void {
  endpoint.listen((message) => {
    const { call, role, method, args } = message as CallMessage;
    if (call === undefined) return;
    void answer(find, role, method, args).then(
      (value) => post(endpoint, { answer: call, value }, moved(value)),
      (error: unknown) => post(endpoint, { answer: call, error: toPlainError(error) }),
    );
  });
}

async function answer(find: FindRole, role: string, method: string, args: readonly unknown[]): Promise<unknown> {
  const target = find(role) as Record<string, (...args: readonly unknown[]) => unknown> | undefined;
  const run = target?.[method];
  if (run === undefined) throw new ElanusError('internal', `There is no ${role}.${method} at this end.`);
  return run.call(target, ...args);
}

function post(endpoint: Endpoint, message: AnswerMessage, transfer?: readonly Transferable[]): void {
  try {
    endpoint.post(message, transfer);
  } catch (error) {
    // The answer cannot be cloned, which is a bug; or the way is closed, and nobody waits.
    if (codeOf(message.error) === 'internal' && message.error !== undefined) return;
    post(endpoint, { answer: message.answer, error: toPlainError(error) });
  }
}

/** Buffers smaller than this are copied faster than moved. */
const MOVED_BYTES_MIN = 64 * 1024;

/** The buffers of vectors in an answer: gathered for it, they belong to nobody else. */
function moved(value: unknown): ArrayBuffer[] {
  const vectors = (value as { batch?: { vectors?: unknown } } | undefined)?.batch?.vectors;
  if (!(vectors instanceof Map)) return [];
  return [...(vectors as ReadonlyMap<number, { readonly values: Float32Array }>).values()].flatMap(({ values }) =>
    values.byteLength >= MOVED_BYTES_MIN && values.byteLength === values.buffer.byteLength
      ? [values.buffer as ArrayBuffer]
      : [],
  );
}
