import type { CreateCollectionBody } from '../../../core/elanus.ts';
import { draftCollection } from '../../../core/model/collection-draft.ts';

export type Json = Record<string, unknown>;

export const key = { fieldName: 'id', dataType: 'Int64', isPrimary: true };
export const vector = { fieldName: 'emb', dataType: 'FloatVector', elementTypeParams: { dim: '8' } };
export const schemaForm = (...fields: Json[]): Json => ({
  collectionName: 'c',
  schema: { fields: [key, vector, ...fields] },
});
export const draft = (body: Json) => draftCollection(body as unknown as CreateCollectionBody);
export const quick = (more: Json = {}): Json => ({ collectionName: 'c', dimension: 8, ...more });

export const varchar = { fieldName: 's', dataType: 'VarChar', elementTypeParams: { max_length: 4 } };
export const withIndex = (index: Json): Json => ({ ...schemaForm(), indexParams: [index] });
export const schemaOf = (...fields: Json[]): Json => ({ collectionName: 'c', schema: { fields } });
