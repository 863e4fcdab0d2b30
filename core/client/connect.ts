import { ElanusError } from '../base/error.ts';
import type { Int64Mode } from '../elanus.ts';
import { Database } from './database.ts';
import { HttpConnection } from './http-connection.ts';

/** Where the edge is, and how to talk to it. */
export interface ConnectOptions<Mode extends Int64Mode = 'number'> {
  /** Where the edge answers, `https://…`; the API lies below it at `/v2/vectordb`. */
  readonly url: string | { readonly href: string };
  /** The secret of the deployment, if it has one. */
  readonly token?: string;
  /** The type in which Int64 values come out; `number` by default, where a value beyond 2^53 is an error. */
  readonly int64?: Mode;
}

/**
 * A database behind HTTP: Elanus at the edge. No call is made; the first method tells whether the address is right.
 * Throws `invalid` for an address that is none.
 */
export function connect<Mode extends Int64Mode = 'number'>(options: ConnectOptions<Mode>): Database<Mode> {
  const url = typeof options?.url === 'string' ? options.url : options?.url?.href;
  if (typeof url !== 'string' || !/^https?:\/\//.test(url)) {
    throw new ElanusError('invalid', 'connect needs a `url` that begins with http:// or https://.', {
      details: { option: 'url' },
    });
  }
  const connection = new HttpConnection({ url, ...(options.token === undefined ? {} : { token: options.token }) });
  return new Database<Mode>(connection, options.int64 === undefined ? {} : { int64: options.int64 });
}
