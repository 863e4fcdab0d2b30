import { ElanusError } from '../base/error.ts';
import { NAME_BYTES_MAX } from './limits.ts';
import { invalid, missingKey, show } from './reject.ts';

/** Words of the filter language, which cannot name a field (Milvus's list, in the casings that it lists). */
const FIELD_KEYWORDS: ReadonlySet<string> = new Set([
  '$meta',
  'like',
  'and',
  'or',
  'not',
  'in',
  'true',
  'True',
  'TRUE',
  'false',
  'False',
  'FALSE',
  ...[
    'exists',
    'json_contains',
    'json_contains_all',
    'json_contains_any',
    'array_contains',
    'array_contains_all',
    'array_contains_any',
    'array_length',
    'text_match',
    'phrase_match',
    'random_sample',
  ].flatMap((word) => [word, word.toUpperCase()]),
]);

/** Names that Milvus gives to fields of its own. */
const SYSTEM_FIELDS: ReadonlySet<string> = new Set(['RowID', 'Timestamp', '__virtual_pk__', '$meta']);

/**
 * Every name: at most 255 bytes, a letter or `_` first, then letters, digits and `_`, all of ASCII. Index names may
 * hold `[` and `]` as well.
 */
type Flaw = 'empty' | 'long' | 'first' | 'character';

function flawOf(name: string, character: RegExp): Flaw | undefined {
  if (name === '') return 'empty';
  // Beyond ASCII a unit is more than one byte, but such a name has the flaw `character` anyway.
  if (name.length > NAME_BYTES_MAX) return 'long';
  if (!/^[A-Za-z_]/.test(name)) return 'first';
  return character.test(name) ? undefined : 'character';
}

const PLAIN = /^[A-Za-z0-9_]*$/;
const WITH_BRACKETS = /^[A-Za-z0-9_[\]]*$/;

/** The name of a collection; refuses others with 1100, and none at all with 1802. */
export function checkCollectionName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw missingKey('CollectionReq', 'collectionName');
  const flaw = flawOf(name, PLAIN);
  if (flaw === undefined) return name;
  const says = sentence(flaw, 'collection');
  throw invalid(`Invalid collection name: ${name}. ${says}`, { details: { field: 'collectionName' } });
}

/** The name of a database, `fallback` if none is given; refuses others with 802. */
export function checkDatabaseName(name: unknown, fallback: string): string {
  if (name === undefined || name === null || name === '') return fallback;
  const flaw = typeof name === 'string' ? flawOf(name, PLAIN) : 'character';
  if (flaw === undefined) return name as string;
  throw invalid(`Invalid database name: ${show(name)}. ${sentence(flaw, 'database')}`, {
    milvusCode: 802,
    details: { field: 'dbName' },
  });
}

/** The name of a field; refuses others with 1701. */
export function checkFieldName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw missingKey('FieldSchema', 'fieldName');
  const flaw = flawOf(name, PLAIN);
  const says =
    FIELD_KEYWORDS.has(name) || name.toLowerCase() === 'null'
      ? `${name} is keyword in milvus.`
      : SYSTEM_FIELDS.has(name)
        ? `${name} is the name of a system field.`
        : flaw === undefined
          ? undefined
          : capitalized(`${sentence(flaw, 'field')}.`);
  if (says === undefined) return name;
  throw new ElanusError('invalid', `Invalid field name: ${name}. ${says}: field name invalid[field=${name}]`, {
    milvusCode: 1701,
    details: { field: name },
  });
}

/** The name of an index, that of its field if none is given; refuses others with 1100. */
export function checkIndexName(name: unknown, fieldName: string): string {
  if (name === undefined || name === null || name === '') return fieldName;
  const flaw = typeof name === 'string' ? flawOf(name, WITH_BRACKETS) : 'character';
  if (flaw === undefined) return name as string;
  throw invalid(`Invalid index name: ${show(name)}. ${capitalized(sentence(flaw, 'index'))}`, {
    details: { field: fieldName },
  });
}

function sentence(flaw: Flaw, what: string): string {
  switch (flaw) {
    case 'empty':
      return `${what} name should not be empty`;
    case 'long':
      return `the length of a ${what} name must be less than ${NAME_BYTES_MAX} characters`;
    case 'first':
      return `the first character of a ${what} name must be an underscore or letter`;
    case 'character':
      return `${what} name can only contain numbers, letters and underscores`;
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
