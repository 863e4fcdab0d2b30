import { ElanusError, fromPlainError, type PlainError, toPlainError } from '../../core/base/error.ts';

/**
 * How roles call each other across Durable Objects. The platform's RPC keeps of an error its message alone, so errors
 * travel as values and are thrown again on the other side.
 */
export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: PlainError };

/** The one method that an object offers: a method of its role, by name. */
export interface RoleStub {
  call(method: string, args: readonly unknown[]): Promise<Reply & Partial<Disposable>>;
}

/** The methods of a role, and whether a call may be sent again when nobody knows whether it arrived. */
export type RoleMethods<Role> = { readonly [Method in keyof Role]: 'repeatable' | 'once' };

/** What the platform adds to an error of its own. */
interface PlatformError {
  readonly message?: unknown;
  readonly retryable?: unknown;
  readonly overloaded?: unknown;
}

const ATTEMPTS_MAX = 3;
const PAUSE_MS = 50;

/** Runs a role's method for a caller in another object. */
export async function answerCall<Role extends object>(
  role: Role,
  methods: RoleMethods<Role>,
  method: string,
  args: readonly unknown[],
): Promise<Reply> {
  try {
    if (!Object.hasOwn(methods, method)) throw new ElanusError('internal', `There is no method ${method} to call.`);
    const run = role[method as keyof Role] as (...args: unknown[]) => Promise<unknown>;
    return { ok: true, value: compact(await run.apply(role, [...args])) };
  } catch (error) {
    return { ok: false, error: toPlainError(error) };
  }
}

/**
 * A role that runs in another object. `find` gives its stub; after a failure of the platform's own a stub may be
 * broken, so each attempt asks for a new one.
 *
 * Where the platform fails, nobody knows whether the call was carried out: it is `unavailable`, unless the platform
 * says that it refused the call (`overloaded`).
 */
export function remoteRole<Role extends object>(methods: RoleMethods<Role>, find: () => RoleStub): Role {
  const remote: Record<string, (...args: readonly unknown[]) => Promise<unknown>> = {};
  for (const method of Object.keys(methods)) {
    const attempts = methods[method as keyof Role] === 'repeatable' ? ATTEMPTS_MAX : 1;
    remote[method] = (...args) => callRemote(find, method, args, attempts);
  }
  return remote as Role;
}

async function callRemote(
  find: () => RoleStub,
  method: string,
  args: readonly unknown[],
  attempts: number,
): Promise<unknown> {
  const sent = args.map(compact);
  for (let attempt = 1; ; attempt++) {
    let reply: Reply & Partial<Disposable>;
    try {
      reply = await find().call(method, sent);
    } catch (thrown) {
      const { overloaded, retryable, message } = thrown as PlatformError;
      if (attempt < attempts && retryable === true && overloaded !== true) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt));
        continue;
      }
      const text = typeof message === 'string' ? message : String(thrown);
      if (text.includes('Serialized RPC')) {
        throw new ElanusError(
          'invalid',
          `The request or the answer of ${method} is too large for one message; lower \`limit\` or \`outputFields\`, or send fewer rows. (${text})`,
          { milvusCode: 1102, cause: thrown },
        );
      }
      throw overloaded === true
        ? new ElanusError('overloaded', `The object behind ${method} has too much to do: ${text}`, { cause: thrown })
        : new ElanusError('unavailable', `No answer from the object behind ${method}: ${text}`, { cause: thrown });
    }
    // The answer is plain data; the session that brought it need not stay open until it is collected.
    reply[Symbol.dispose]?.();
    if (reply.ok) return reply.value;
    throw fromPlainError(reply.error);
  }
}

/**
 * The value with each view on a part of a buffer made a buffer of its own: the platform sends the *whole* buffer behind
 * a view, which may be a thousand times what the view shows. Plain objects, lists and maps are looked through.
 */
export function compact(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    return value.byteLength < value.buffer.byteLength && !(value instanceof DataView)
      ? (value as Uint8Array).slice()
      : value;
  }
  if (Array.isArray(value)) {
    const first = value.findIndex((item) => compact(item) !== item);
    return first === -1 ? value : value.map(compact);
  }
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]): [unknown, unknown] => [key, compact(item)]));
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, compact(item)]));
}
