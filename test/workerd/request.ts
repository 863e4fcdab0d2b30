import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { parseJson } from '../../core/base/json.ts';
import worker, { type Env } from '../../worker/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The envelope, exactly: Int64 values beyond 2^53 are bigint. Undefined if the answer is no JSON. */
  readonly envelope: Record<string, unknown>;
}

/** Sends a request to the Worker as the platform does. */
export async function send(path: string, init: RequestInit = {}, secrets: Partial<Env> = {}): Promise<Answer> {
  const request = new Request(`https://elanus.test${path}`, init) as Request<unknown, IncomingRequestCfProperties>;
  const context = createExecutionContext();
  const response = await worker.fetch!(request, { ...(env as unknown as Env), ...secrets }, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  return { status: response.status, headers: response.headers, text, envelope: parsed(text) };
}

/** One call of the API: a body as text goes as it is, anything else as JSON. */
export function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return send(`/v2/vectordb/${path}`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function parsed(text: string): Record<string, unknown> {
  try {
    return parseJson(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
