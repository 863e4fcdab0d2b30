/** `elanus`: the client of an edge, and the types of the public interface. */
export { ElanusError, type ErrorCode, type ErrorDetails } from '../base/error.ts';
export type * from '../elanus.ts';
export { Collection } from './collection.ts';
export type { CollectionOptions, FieldSpec, Fields, RowInputOf, RowOf } from './collection-types.ts';
export { type ConnectOptions, connect } from './connect.ts';
export { Database } from './database.ts';
export { type OpenAiEmbedderOptions, openAiEmbedder } from './openai-embedder.ts';
export {
  type TransformersEmbedderOptions,
  type TransformersProgress,
  transformersEmbedder,
} from './transformers-embedder.ts';
