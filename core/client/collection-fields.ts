import { ElanusError } from '../base/error.ts';
import type {
  CollectionDescription,
  CreateCollectionBody,
  Embedder,
  FieldDescription,
  FieldSchemaInput,
} from '../elanus.ts';
import { ARRAY_CAPACITY_MAX, DIMENSION_MAX, VARCHAR_BYTES_MAX } from '../model/limits.ts';
import { EMBEDDER_PROPERTY } from '../model/schema.ts';
import type { CollectionOptions, FieldSpec } from './collection-types.ts';

type FieldProperties = Exclude<FieldSpec, string>;

function propertiesOf(spec: FieldSpec): FieldProperties {
  return typeof spec === 'string' ? { type: spec } : spec;
}

function fieldsOf({ fields }: CollectionOptions): [string, FieldProperties][] {
  return Object.entries(fields ?? {}).map(([name, spec]) => [name, propertiesOf(spec)]);
}

/** The vector field that the embedder fills. */
export function vectorFieldOf(options: CollectionOptions): string {
  return options.vectorField ?? only(options, 'vector', (field) => field.type === 'FloatVector') ?? 'vector';
}

/** The text field that the embedder reads. */
export function textFieldOf(options: CollectionOptions): string {
  return options.textField ?? only(options, 'text', (field) => field.type === 'VarChar' && !field.primary) ?? 'text';
}

function only(
  options: CollectionOptions,
  role: 'text' | 'vector',
  fits: (field: FieldProperties) => boolean,
): string | undefined {
  const names = fieldsOf(options).flatMap(([name, field]) => (fits(field) ? [name] : []));
  if (names.length <= 1) return names[0];
  throw new ElanusError(
    'invalid',
    `Several fields could be the ${role} field (${names.join(', ')}): name one as \`${role}Field\`.`,
  );
}

/** The body that creates a collection with the handle's fields. */
export function createBody(name: string, options: CollectionOptions, metricType: string): CreateCollectionBody {
  const fields = fieldsOf(options);
  if (fields.length === 0) {
    throw new ElanusError(
      'invalid',
      `The handle of ${name} has no \`fields\` to create it from; use createCollection.`,
    );
  }
  const primary = fields.find(([, field]) => field.primary === true);
  const { embedder } = options;
  return {
    collectionName: name,
    ...(options.dbName === undefined ? {} : { dbName: options.dbName }),
    ...(embedder === undefined ? {} : { properties: { [EMBEDDER_PROPERTY + vectorFieldOf(options)]: embedder.model } }),
    schema: {
      autoID: primary?.[1].autoId === true,
      enableDynamicField: false,
      fields: fields.map(([fieldName, field]) => schemaField(fieldName, field, options)),
    },
    indexParams: fields.flatMap(([fieldName, field]) =>
      field.type === 'FloatVector' ? [{ fieldName, metricType, indexType: 'AUTOINDEX' }] : [],
    ),
  };
}

function schemaField(fieldName: string, field: FieldProperties, options: CollectionOptions): FieldSchemaInput {
  const isText = field.type === 'VarChar' || field.elementType === 'VarChar';
  const params = {
    ...(field.type === 'FloatVector' ? { dim: field.dimension ?? options.embedder?.dimension } : {}),
    ...(field.type === 'Array' ? { max_capacity: field.maxCapacity ?? ARRAY_CAPACITY_MAX } : {}),
    ...(isText ? { max_length: field.maxLength ?? VARCHAR_BYTES_MAX } : {}),
  };
  return {
    fieldName,
    dataType: field.type,
    ...(field.elementType === undefined ? {} : { elementDataType: field.elementType }),
    ...(field.primary === true ? { isPrimary: true } : {}),
    ...(field.nullable === true ? { nullable: true } : {}),
    ...(Object.keys(params).length === 0 ? {} : { elementTypeParams: params }),
  };
}

/** Throws `invalid` where the collection is not what the handle says. */
export function checkFields(description: CollectionDescription, options: CollectionOptions): void {
  const stored = new Map(description.fields.map((field) => [field.name, field]));
  for (const [name, field] of fieldsOf(options)) {
    const found = stored.get(name);
    if (found === undefined) {
      throw mismatch(description, name, `there is no field ${name}; it has ${[...stored.keys()].join(', ')}`);
    }
    if (found.type !== field.type) throw mismatch(description, name, `${name} is ${found.type}, not ${field.type}`);
    if (field.elementType !== undefined && found.elementType !== field.elementType) {
      throw mismatch(description, name, `${name} holds ${found.elementType}, not ${field.elementType}`);
    }
    if (field.primary === true && !found.primaryKey)
      throw mismatch(description, name, `${name} is not the primary key`);
    if (found.nullable && field.nullable !== true) throw mismatch(description, name, `${name} is nullable`);
  }
  checkEmbedder(description, stored, options);
}

/** The vectors of a collection are of one model: the one that it was created with, if that is known. */
function checkEmbedder(
  description: CollectionDescription,
  stored: ReadonlyMap<string, FieldDescription>,
  options: CollectionOptions,
): void {
  const { embedder } = options;
  if (embedder === undefined) return;
  checkShape(embedder);
  const { collectionName } = description;
  const field = vectorFieldOf(options);
  const model = description.properties?.find(({ key }) => key === EMBEDDER_PROPERTY + field)?.value;
  if (model !== undefined && model !== embedder.model) {
    throw new ElanusError(
      'invalid',
      `Collection ${collectionName} keeps in ${field} vectors of the model ${model}, and the embedder of its handle is ${embedder.model}: vectors of two models cannot be compared. Take an embedder of ${model}, or create another collection and insert the texts there.`,
      { details: { collection: collectionName, field, model, embedder: embedder.model } },
    );
  }
  const dimension = dimensionOf(stored.get(field));
  if (dimension === embedder.dimension) return;
  const is = dimension === undefined ? 'is no vector field' : `has dimension ${dimension}`;
  throw mismatch(description, field, `${field} ${is}, and the embedder ${embedder.model} makes ${embedder.dimension}`);
}

function checkShape({ model, dimension, batchSize = 1, concurrency = 1 }: Embedder): void {
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
  const wrong =
    typeof model !== 'string' || model === ''
      ? 'model must be a text that names it'
      : !isCount(dimension) || dimension > DIMENSION_MAX
        ? `dimension must be a whole number up to ${DIMENSION_MAX}, not ${String(dimension)}`
        : !isCount(batchSize)
          ? `batchSize must be a whole number from 1, not ${String(batchSize)}`
          : !isCount(concurrency)
            ? `concurrency must be a whole number from 1, not ${String(concurrency)}`
            : undefined;
  if (wrong !== undefined) throw new ElanusError('invalid', `This is no embedder: ${wrong}.`);
}

function dimensionOf(field: FieldDescription | undefined): number | undefined {
  const value = field?.params?.find(({ key }) => key === 'dim')?.value;
  return value === undefined ? undefined : Number(value);
}

function mismatch(description: CollectionDescription, field: string, what: string): ElanusError {
  const collection = description.collectionName;
  return new ElanusError('invalid', `Collection ${collection} is not what its handle says: ${what}.`, {
    details: { collection, field },
  });
}
