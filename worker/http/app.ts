import { Hono } from 'hono';
import { ElanusError } from '../../core/base/error.ts';
import { stringifyJson } from '../../core/base/json.ts';
import type { Info } from '../../core/elanus.ts';
import { VERSION } from '../../core/version.ts';
import { isAuthorized } from './authorization.ts';
import { readJson } from './body.ts';
import { CLIENT_DELETE, ENDPOINTS, type Endpoint, UNSUPPORTED_PATHS } from './endpoints.ts';
import { failure, success } from './envelope.ts';
import { bindRequest } from './request-shape.ts';
import { withinTime } from './request-timeout.ts';
import { RESPONSE_HEADERS } from './response-headers.ts';

/** What the HTTP face needs of the instance behind it. */
export interface Backend {
  /** One method of `Elanus`, with the body of its REST call; see `Proxy.call`. */
  call(method: string, body: unknown): Promise<unknown>;
  info(): Promise<Info>;
}

export interface AppOptions<Env> {
  readonly backend: (env: Env) => Backend;
  /** What every call must present; undefined if the instance is open. */
  readonly token: (env: Env) => string | undefined;
}

const API = '/v2/vectordb/';
/** Set by Elanus's own client; see `AnswerOptions`. */
const CLIENT_HEADER = 'Elanus-Client';
/** What Go's `strconv.ParseBool` takes for false; everything else leaves the default. */
const FALSE_FORMS: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Milvus's REST API v2 over HTTP, and what else the Worker answers. */
export function createApp<Env extends object>(options: AppOptions<Env>): Hono<{ Bindings: Env }> {
  const app = new Hono<{ Bindings: Env }>();

  app.use(async (context, next) => {
    await next();
    for (const [name, value] of RESPONSE_HEADERS) context.res.headers.set(name, value);
  });
  app.options('*', () => new Response(null, { status: 204 }));

  for (const endpoint of ENDPOINTS) {
    app.post(API + endpoint.path, (context) =>
      answer(context.req.raw, options.token(context.env), endpoint.reads === true, () =>
        callEndpoint(context.req.raw, endpoint, options.backend(context.env)),
      ),
    );
  }
  for (const path of UNSUPPORTED_PATHS) {
    app.post(API + path, (context) =>
      answer(context.req.raw, options.token(context.env), false, () => unsupported(path)),
    );
  }
  app.post('/v2/elanus/info', (context) =>
    answer(context.req.raw, options.token(context.env), true, async () => {
      const data = await options.backend(context.env).info();
      return new Response(stringifyJson({ code: 0, data }), {
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
      });
    }),
  );

  app.get('/', (context) => context.json({ name: 'elanus', version: VERSION, api: API.slice(0, -1) }));
  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.notFound((context) => context.text('404 page not found', 404));
  app.onError((_error, context) => context.json({ code: 500 }, 500));
  return app;
}

/** Who asks, then what for: nothing is read of a request that is not allowed. */
async function answer(
  request: Request,
  token: string | undefined,
  reads: boolean,
  run: () => Promise<Response>,
): Promise<Response> {
  try {
    if (token !== undefined && !(await isAuthorized(request.headers.get('Authorization'), token))) {
      throw new ElanusError('unauthorized', 'Send the header Authorization: Bearer <token>.');
    }
    return await withinTime(request.headers.get('Request-Timeout'), run);
  } catch (error) {
    return failure(error, reads, isOwnClient(request));
  }
}

async function callEndpoint(request: Request, endpoint: Endpoint, backend: Backend): Promise<Response> {
  const own = isOwnClient(request);
  const body = bindRequest(
    await readJson(request),
    own && endpoint.method === 'delete' ? CLIENT_DELETE : endpoint.shape,
  );
  if (body['dbName'] === undefined || body['dbName'] === '') {
    const database = request.headers.get('DB-Name');
    if (database !== null && database !== '') body['dbName'] = database;
  }
  if (endpoint.method === 'search' && body['data'] === undefined && body['ids'] === undefined) {
    throw new ElanusError(
      'invalid',
      "either 'ids' (for primary key search) or 'data' (for vector search) must be provided",
      { milvusCode: 1802, details: { field: 'data' } },
    );
  }
  const allowInt64 = !FALSE_FORMS.has(request.headers.get('Accept-Type-Allow-Int64') ?? '');
  return success(await backend.call(endpoint.method, body), endpoint, { allowInt64, isOwnClient: own });
}

async function unsupported(path: string): Promise<Response> {
  throw new ElanusError('unsupported', `${API}${path} is not supported yet: unsupported operation`, {
    details: { path },
  });
}

function isOwnClient(request: Request): boolean {
  return request.headers.get(CLIENT_HEADER) === '1';
}
