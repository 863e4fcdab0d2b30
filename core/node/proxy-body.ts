import { codeOf, ElanusError } from '../base/error.ts';
import type { CollectionMeta } from '../model/schema.ts';
import type { Expression } from '../query/expression.ts';
import { parseFilter } from '../query/resolve.ts';
import type { CollectionName } from './protocol.ts';

/** A REST body of which only the outermost shape is known yet. */
export type ProxyBody = Readonly<Record<string, unknown>>;

/** The filter of a body, parsed and checked; undefined if there is none. `plan` is Milvus's word for what it is for. */
export function filterOf(body: ProxyBody, meta: CollectionMeta, plan: 'query' | 'delete'): Expression | undefined {
  const { filter, exprParams } = body;
  if (filter === undefined || filter === null || filter === '') return undefined;
  if (typeof filter !== 'string') {
    throw new ElanusError('invalid', 'filter must be a string.', { milvusCode: 1801, details: { field: 'filter' } });
  }
  if (filter.trim() === '') return undefined;
  try {
    return parseFilter(filter, meta.schema, (exprParams ?? undefined) as Record<string, unknown> | undefined);
  } catch (error) {
    if (codeOf(error) !== 'invalid') throw error;
    const { message, milvusCode, details } = error as ElanusError;
    throw new ElanusError('invalid', `failed to create ${plan} plan: ${message}`, {
      cause: error,
      milvusCode,
      details,
    });
  }
}

export function collectionNotLoaded({ collectionName }: CollectionName): ElanusError {
  return new ElanusError('invalid', `collection not loaded[collection=${collectionName}]`, {
    milvusCode: 101,
    details: { collection: collectionName },
  });
}
