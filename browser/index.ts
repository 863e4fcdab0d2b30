/** `elanus/browser`: a vector database in the tab. */
export { ElanusError, type ErrorCode, type ErrorDetails } from '../core/base/error.ts';
export { Collection } from '../core/client/collection.ts';
export type { CollectionOptions, FieldSpec, Fields, RowInputOf, RowOf } from '../core/client/collection-types.ts';
export { Database } from '../core/client/database.ts';
export { type OpenAiEmbedderOptions, openAiEmbedder } from '../core/client/openai-embedder.ts';
export {
  type TransformersEmbedderOptions,
  type TransformersProgress,
  transformersEmbedder,
} from '../core/client/transformers-embedder.ts';
export type * from '../core/elanus.ts';
export { BrowserEmbeddingCache, type EmbeddingCacheOptions, embeddingCache } from './embedding-cache.ts';
export { BrowserDatabase, type OpenOptions, open } from './open.ts';
export type { LinkChoice, StorageKind } from './protocol.ts';
