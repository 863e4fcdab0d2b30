import { ElanusError } from '../../core/base/error.ts';
import { parseJson } from '../../core/base/json.ts';
import { REQUEST_BYTES_MAX } from '../../core/model/limits.ts';
import { wrongJson } from './request-shape.ts';

/**
 * The JSON of a request, whatever its Content-Type says. A body that is too large is refused from its Content-Length,
 * or as soon as that much has arrived: more than the limit is never held.
 */
export async function readJson(request: Request): Promise<unknown> {
  const bytes = await readBytes(request);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw wrongJson('the body is not UTF-8', error);
  }
  if (text === '') {
    throw new ElanusError(
      'invalid',
      'can only accept json format request, the request body should be nil, however {} is valid',
      { milvusCode: 1801 },
    );
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw wrongJson(error instanceof Error ? error.message : String(error), error);
  }
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const announced = request.headers.get('Content-Length');
  if (announced !== null && Number(announced) > REQUEST_BYTES_MAX) {
    await request.body?.cancel();
    throw tooLarge();
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > REQUEST_BYTES_MAX) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function tooLarge(): ElanusError {
  return new ElanusError(
    'invalid',
    `The request body is larger than ${REQUEST_BYTES_MAX} bytes; send fewer rows in one request.`,
    { milvusCode: 1102, details: { reason: 'body-too-large', bytesMax: REQUEST_BYTES_MAX } },
  );
}
