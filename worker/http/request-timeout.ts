import { ElanusError } from '../../core/base/error.ts';

/** The time a request may take, in seconds: Milvus's own budget, which a client may shorten and not extend. */
const SECONDS_MAX = 120;

/**
 * Waits for an answer as long as the request's `Request-Timeout` (whole seconds) says. When the time is over the
 * caller gets `timeout`; the work may go on, so what it wrote is unknown.
 */
export async function withinTime<Answer>(header: string | null, run: () => Promise<Answer>): Promise<Answer> {
  const seconds = Math.min(secondsOf(header), SECONDS_MAX);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new ElanusError('timeout', 'request timeout', { details: { seconds } }));
    if (seconds <= 0) stop();
    else timer = setTimeout(stop, seconds * 1000);
  });
  try {
    if (seconds <= 0) return await late;
    return await Promise.race([run(), late]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}

function secondsOf(header: string | null): number {
  if (header === null || header === '') return SECONDS_MAX;
  if (/^[+-]?\d+$/.test(header)) return Number(header);
  throw new ElanusError(
    'invalid',
    `Request-Timeout parse failed, err: strconv.ParseInt: parsing ${JSON.stringify(header)}: invalid syntax: invalid parameter`,
    { details: { header: 'Request-Timeout' } },
  );
}
