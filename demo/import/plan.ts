import type { CreateCollectionBody, FieldSchemaInput } from 'elanus/browser';
import {
  type CollectionProfile,
  type EmbedderChoice,
  type Facet,
  MODEL_PROPERTY,
  PROFILE_PROPERTY,
  type ShownField,
  VECTOR_FIELD,
} from '../collections/profile.ts';
import { type ColumnFacts, type ColumnKind, TEXT_BYTES_MAX } from './columns.ts';
import type { FileFacts } from './scan.ts';

/** What a person chose in the import dialog. */
export interface ImportChoices {
  /** The column that is embedded and searched. */
  readonly text: string;
  readonly title: string;
  /** Columns to keep beside text, title and key. */
  readonly kept: readonly string[];
  readonly embedder: EmbedderChoice;
  /** The column with vectors to take as they are; undefined embeds the text. */
  readonly vectors?: string;
}

/** A column on its way from a file into a field. */
export interface PlannedColumn {
  readonly name: string;
  readonly field: string;
  readonly kind: ColumnKind;
  /** Instead of no value: a text to embed is a text. */
  readonly emptyText: boolean;
}

/** How a file becomes a collection. */
export interface ImportPlan {
  readonly collectionName: string;
  readonly body: CreateCollectionBody;
  readonly profile: CollectionProfile;
  readonly columns: readonly PlannedColumn[];
  /** The field that gets the row's number, from 1, if no column is a key. */
  readonly rowNumber: string | undefined;
}

/** Facets beyond these would be a wall of controls. */
const FACETS_MAX = 6;
const SHOWN_MAX = 8;

/**
 * How to store a file with these choices: the call that makes the collection, what to remember with it, and which
 * column goes where.
 *
 * @param vectors the model that makes them, if it is known: it is remembered, and another one refused
 * @param taken names of collections that exist
 */
export function planImport(
  facts: FileFacts,
  choices: ImportChoices,
  vectors: { readonly dimension: number; readonly model: string | undefined },
  taken: readonly string[],
): ImportPlan {
  const keyColumn = keyOf(facts);
  const chosen = new Set([choices.text, choices.title, ...choices.kept, keyColumn?.name, choices.vectors]);
  const columns = facts.columns.filter(({ name, kind }) => chosen.has(name) && kind !== 'empty');
  const stored = columns.filter(({ name }) => name !== choices.vectors);
  const rowNumber =
    keyColumn === undefined
      ? freeName(
          'row',
          facts.columns.map(({ field }) => field),
        )
      : undefined;
  const fieldOf = (name: string): string => facts.columns.find((column) => column.name === name)?.field ?? '';
  const key = keyColumn?.field ?? rowNumber ?? '';
  const others = stored.filter(({ name }) => ![choices.text, choices.title, keyColumn?.name].includes(name));
  const profile: CollectionProfile = {
    label: facts.name,
    rows: facts.rows,
    key,
    title: fieldOf(choices.title),
    text: fieldOf(choices.text),
    shown: others.flatMap(shownField).slice(0, SHOWN_MAX),
    facets: facetsOf(others),
    embedder: choices.embedder,
  };
  const collectionName = freeName(collectionNameOf(facts.name), taken);
  return {
    collectionName,
    body: createBody(collectionName, { stored, key: keyColumn, rowNumber, text: choices.text, vectors, profile }),
    profile,
    columns: columns.map(({ name, field, kind }) => ({
      name,
      field: name === choices.vectors ? VECTOR_FIELD : field,
      kind: kind === 'vector' && name !== choices.vectors ? 'json' : kind,
      emptyText: name === choices.text,
    })),
    rowNumber,
  };
}

/** The column that is the primary key: the first whose values are all there and all different. */
export function keyOf(facts: FileFacts): ColumnFacts | undefined {
  return facts.columns.find(({ isKey }) => isKey);
}

/** The name of a file as that of a collection. */
export function collectionNameOf(file: string): string {
  const plain = file
    .replace(/\.[A-Za-z0-9]+$/, '')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toLowerCase()
    .slice(0, 60);
  return /^[a-z]/.test(plain) ? plain : `file_${plain}`.replace(/_$/, '');
}

function freeName(name: string, taken: readonly string[]): string {
  let free = name;
  for (let count = 2; taken.includes(free); count++) free = `${name}_${count}`;
  return free;
}

interface BodyParts {
  readonly stored: readonly ColumnFacts[];
  readonly key: ColumnFacts | undefined;
  readonly rowNumber: string | undefined;
  readonly text: string;
  readonly vectors: { readonly dimension: number; readonly model: string | undefined };
  readonly profile: CollectionProfile;
}

function createBody(collectionName: string, parts: BodyParts): CreateCollectionBody {
  const { stored, key, rowNumber, text, profile } = parts;
  const { dimension, model } = parts.vectors;
  const fields: FieldSchemaInput[] = stored.map((column) => fieldSchema(column, column === key, column.name === text));
  if (rowNumber !== undefined) fields.unshift({ fieldName: rowNumber, dataType: 'Int64', isPrimary: true });
  fields.push({ fieldName: VECTOR_FIELD, dataType: 'FloatVector', elementTypeParams: { dim: dimension } });
  return {
    collectionName,
    description: `Imported from ${profile.label}`.slice(0, 300),
    schema: { enableDynamicField: false, fields },
    indexParams: [{ fieldName: VECTOR_FIELD, metricType: 'COSINE', indexType: 'AUTOINDEX' }],
    properties: {
      [PROFILE_PROPERTY]: JSON.stringify(profile),
      ...(model === undefined ? {} : { [MODEL_PROPERTY]: model }),
    },
  };
}

const DATA_TYPES: Readonly<Record<ColumnKind, string>> = {
  boolean: 'Bool',
  integer: 'Int64',
  number: 'Double',
  text: 'VarChar',
  json: 'JSON',
  vector: 'JSON',
  empty: 'VarChar',
};

function fieldSchema(column: ColumnFacts, isPrimary: boolean, isText: boolean): FieldSchemaInput {
  return {
    fieldName: column.field,
    dataType: DATA_TYPES[column.kind],
    ...(isPrimary ? { isPrimary } : {}),
    ...(column.missing > 0 && !isPrimary && !isText ? { nullable: true } : {}),
    ...(column.kind === 'text' ? { elementTypeParams: { max_length: TEXT_BYTES_MAX } } : {}),
  };
}

function shownField({ name, field, kind, choices }: ColumnFacts): ShownField[] {
  if (kind === 'vector' || kind === 'json') return [];
  return [{ field, label: name, as: choices === undefined || kind === 'boolean' ? 'plain' : 'tag' }];
}

function facetsOf(columns: readonly ColumnFacts[]): Facet[] {
  const facets = columns.flatMap(({ name: label, field, kind, choices, least, most }): Facet[] => {
    if (kind === 'boolean') return [{ kind: 'yes-no', field, label }];
    if (kind === 'text' && choices !== undefined && choices.length > 1) {
      return [{ kind: 'choice', field, label, choices }];
    }
    const isRange = (kind === 'integer' || kind === 'number') && least !== undefined && most !== undefined;
    return isRange && least < most ? [{ kind: 'range', field, label, least, most }] : [];
  });
  // Short lists first: they say at a glance what the collection is about.
  return facets.sort((a, b) => facetRank(a) - facetRank(b)).slice(0, FACETS_MAX);
}

function facetRank(facet: Facet): number {
  return ['choice', 'price', 'range', 'yes-no'].indexOf(facet.kind);
}
