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
  const details = writes ? { outcome: 'unknown' } : {};
  const aborted = (): ElanusError =>
    new ElanusError('aborted', 'The caller stopped waiting.', { details, cause: options?.signal?.reason });
  if (options?.signal?.aborted === true) {
    throw new ElanusError('aborted', 'The call was aborted before it began; nothing was done.', {
      details: writes ? { outcome: 'not-written' } : {},
      cause: options.signal.reason,
    });
  }
  const controller = new AbortController();
  let timer: unknown;
  let onAbort: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    const stop = (error: ElanusError): void => {
      reject(error);
      controller.abort(error);
    };
    onAbort = () => stop(aborted());
    options?.signal?.addEventListener('abort', onAbort, { once: true });
    const timeoutMs = options?.timeoutMs;
    if (timeoutMs !== undefined) {
      timer = setTimeout(
        () =>
          stop(new ElanusError('timeout', `No answer within ${timeoutMs} ms.`, { details: { ...details, timeoutMs } })),
        timeoutMs,
      );
    }
  });
  try {
    return await Promise.race([start(controller.signal), stopped]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
    if (onAbort !== undefined) options?.signal?.removeEventListener('abort', onAbort);
  }
}
