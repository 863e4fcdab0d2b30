import { ElanusError } from '../base/error.ts';
import type { CallOptions } from '../elanus.ts';

/**
 * Waits for a call as long as its caller does. Aborting or running out of time stops the *waiting*: the work may go on,
 * so for a write the error carries `details.outcome: 'unknown'`.
 *
 * @param start begins the work; its signal tells a connection that can stop early to do so
 */
export async function waitFor<Answer>(
  options: CallOptions | undefined,
  writes: boolean,
  start: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  return withDeadline(options, writes, (signal) => unlessAborted(signal, () => start(signal)));
}

/**
 * Runs a call of several steps. Its signal aborts when the caller's does or when the time is up, with the error to
 * reject with (`aborted`, `timeout`) as its reason; the steps must heed it. A signal that is aborted beforehand means
 * that nothing begins.
 *
 * @param writes whether the outcome of a stopped call is unknown, which the error then says
 */
export async function withDeadline<Answer>(
  options: CallOptions | undefined,
  writes: boolean,
  steps: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const { signal, timeoutMs } = options ?? {};
  if (signal?.aborted === true) {
    throw new ElanusError('aborted', 'The call was aborted before it began; nothing was done.', {
      details: writes ? { outcome: 'not-written' } : {},
      cause: signal.reason,
    });
  }
  const details = writes ? { outcome: 'unknown' } : {};
  const controller = new AbortController();
  const onAbort = (): void =>
    controller.abort(new ElanusError('aborted', 'The caller stopped waiting.', { details, cause: signal?.reason }));
  const onTimeout = (): void =>
    controller.abort(
      new ElanusError('timeout', `No answer within ${timeoutMs} ms.`, {
        details: { ...details, timeoutMs: timeoutMs as number },
      }),
    );
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
  try {
    return await steps(controller.signal);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Waits for work until the signal aborts, and then rejects with its reason; what the work comes to is not heard of. */
export async function unlessAborted<Answer>(signal: AbortSignal, work: () => Promise<Answer>): Promise<Answer> {
  if (signal.aborted) throw signal.reason;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

/** Waits this long, or rejects with the signal's reason when it aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: unknown;
  try {
    await unlessAborted(
      signal,
      () =>
        new Promise<void>((resolve) => {
          timer = setTimeout(() => resolve(), ms);
        }),
    );
  } finally {
    clearTimeout(timer);
  }
}
