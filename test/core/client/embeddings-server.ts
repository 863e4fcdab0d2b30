import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { vectorOfText } from './letter-embedder.ts';

/** A request as the endpoint saw it. */
export interface SeenRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: {
    readonly model: string;
    readonly input: readonly string[];
    readonly encoding_format?: string;
    readonly [key: string]: unknown;
  };
}

/** What it answers instead of vectors. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An endpoint with the calls of `/v1/embeddings`, on a port of its own. */
export interface EmbeddingsServer {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Answers of the next requests; when they are used up, vectors come again. `hang` never answers. */
  readonly next: (Answer | 'hang')[];
  /** Requests whose caller went away before they were answered. */
  readonly left: { count: number };
  close(): Promise<void>;
}

/**
 * Starts an endpoint that behaves as OpenAI's: it wants the key, refuses empty input and more than 2,048 texts, gives
 * base64 where it is asked for it, and here always the last text first, so that `index` counts.
 *
 * @param model makes the vector of a text, and wants no key if none is named
 */
export async function embeddingsServer(
  model: { readonly key?: string; readonly vectorOf: (text: string) => Float32Array } = TEST_MODEL,
): Promise<EmbeddingsServer> {
  const seen: SeenRequest[] = [];
  const next: (Answer | 'hang')[] = [];
  const left = { count: 0 };
  const server = createServer(async (request, response) => {
    response.once('close', () => {
      if (!response.writableEnded) left.count++;
    });
    const body = JSON.parse(await textOf(request)) as SeenRequest['body'];
    seen.push({ headers: request.headers, body });
    const answer = next.shift() ?? respond(request, body, model);
    if (answer === 'hang') return;
    response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json', ...answer.headers });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/embeddings`,
    seen,
    next,
    left,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

const TEST_MODEL = {
  key: 'sk-test-secret',
  vectorOf: (text: string) => vectorOfText(text, text.startsWith('query: ') ? 'query' : 'document'),
};

function respond(
  request: IncomingMessage,
  body: SeenRequest['body'],
  { key, vectorOf }: { readonly key?: string; readonly vectorOf: (text: string) => Float32Array },
): Answer {
  if (request.url !== '/v1/embeddings') return error(404, `Unknown request URL: ${request.url}`);
  const { authorization = '' } = request.headers;
  if (key !== undefined && authorization !== `Bearer ${key}`)
    return error(401, `Incorrect API key provided: ${authorization}`);
  const { input } = body;
  if (input.length === 0 || input.length > 2048 || input.includes('')) return error(400, "'$.input' is invalid.");
  const data = input.map((text, index) => {
    const vector = vectorOf(text);
    const embedding =
      body.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : Array.from(vector);
    return { object: 'embedding', index, embedding };
  });
  return { body: JSON.stringify({ object: 'list', data: data.reverse(), model: body.model }) };
}

function error(status: number, message: string): Answer {
  return { status, body: JSON.stringify({ error: { message, type: 'invalid_request_error', code: null } }) };
}
