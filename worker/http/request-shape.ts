import { ElanusError } from '../../core/base/error.ts';

/**
 * What a JSON request may hold, as Milvus's handlers declare it: its keys match in any case, as Go's do, a wrong type
 * is refused before anything is done, and keys that Milvus does not know are ignored. What lies inside rows and maps is
 * the caller's own and is passed on untouched.
 */
export type Shape =
  | { readonly kind: 'string' | 'bool' | 'int32' | 'int64' | 'any' }
  /** Names chosen by the caller, to anything. */
  | { readonly kind: 'map' }
  /** One object, or a list of them. */
  | { readonly kind: 'rows' }
  | { readonly kind: 'list'; readonly of: Shape }
  | StructShape;

export interface StructShape {
  readonly kind: 'struct';
  /** The name of the declaration in Milvus's messages. */
  readonly name: string;
  /** By the JSON key in lower case. */
  readonly keys: ReadonlyMap<string, Key>;
}

interface Key {
  readonly key: string;
  readonly shape: Shape;
  readonly isRequired: boolean;
}

export const STRING: Shape = { kind: 'string' };
export const BOOL: Shape = { kind: 'bool' };
export const INT32: Shape = { kind: 'int32' };
export const INT64: Shape = { kind: 'int64' };
export const ANY: Shape = { kind: 'any' };
export const MAP: Shape = { kind: 'map' };
export const ROWS: Shape = { kind: 'rows' };

export function list(of: Shape): Shape {
  return { kind: 'list', of };
}

/** A JSON object with these keys; those named in `required` must be there and not empty. */
export function struct(
  name: string,
  keys: Readonly<Record<string, Shape>>,
  required: readonly string[] = [],
): StructShape {
  const known = Object.entries(keys).map(([key, shape]): [string, Key] => [
    key.toLowerCase(),
    { key, shape, isRequired: required.includes(key) },
  ]);
  return { kind: 'struct', name, keys: new Map(known) };
}

/** The request with its keys as they are documented; rejects with Milvus's 1801 or 1802. */
export function bindRequest(json: unknown, shape: StructShape): Record<string, unknown> {
  if (json === null) return bindRequest({}, shape);
  if (typeof json !== 'object' || Array.isArray(json)) {
    throw wrongJson(`json: cannot unmarshal ${kindOf(json)} into Go value of type httpserver.${shape.name}`);
  }
  const missing: string[] = [];
  const bound = bindStruct(json, shape, '', missing);
  if (missing.length > 0) {
    const [first = ''] = missing;
    const message = missing.map(
      (field) => `Key: '${shape.name}.${field}' Error:Field validation for '${field}' failed on the 'required' tag`,
    );
    throw new ElanusError('invalid', `missing required parameters, error: ${message.join('\n')}`, {
      milvusCode: 1802,
      details: { field: first },
    });
  }
  return bound;
}

/** Milvus's 1801: the body is not what the endpoint reads. */
export function wrongJson(text: string, cause?: unknown): ElanusError {
  return new ElanusError('invalid', `can only accept json format request, error: ${text}`, { milvusCode: 1801, cause });
}

function bindStruct(json: object, shape: StructShape, path: string, missing: string[]): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(json)) {
    const known = shape.keys.get(name.toLowerCase());
    // To Go a null leaves the field as it was: empty.
    if (known === undefined || value === null) continue;
    bound[known.key] = bindValue(value, known.shape, path === '' ? known.key : `${path}.${known.key}`, shape.name);
  }
  // Only the outermost declaration of Milvus's requests has required keys that its handlers do not check themselves.
  for (const { key, isRequired } of shape.keys.values()) {
    if (isRequired && isEmpty(bound[key])) missing.push(goName(key));
  }
  return bound;
}

function bindValue(value: unknown, shape: Shape, path: string, struct: string): unknown {
  const refuse = (): never => {
    throw wrongJson(
      `json: cannot unmarshal ${describe(value, shape)} into Go struct field ${struct}.${path} of type ${goType(shape)}`,
    );
  };
  switch (shape.kind) {
    case 'any':
      return value;
    case 'string':
      return typeof value === 'string' ? value : refuse();
    case 'bool':
      return typeof value === 'boolean' ? value : refuse();
    case 'int32':
      return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : refuse();
    case 'int64':
      return typeof value === 'bigint' || Number.isInteger(value) ? value : refuse();
    case 'map':
      return isObject(value) ? value : refuse();
    case 'rows':
      return isObject(value) || (Array.isArray(value) && value.every(isObject)) ? value : refuse();
    case 'list':
      if (!Array.isArray(value)) return refuse();
      return shape.of.kind === 'any' ? value : value.map((item) => bindValue(item, shape.of, path, struct));
    case 'struct':
      return isObject(value) ? bindStruct(value, shape, path, []) : refuse();
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

/** The name of the Go field behind a JSON key: `id` is `ID`, every other has a capital letter. */
function goName(key: string): string {
  return key === 'id' ? 'ID' : key.charAt(0).toUpperCase() + key.slice(1);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** Go names the number only where its kind would do and its value does not. */
function describe(value: unknown, shape: Shape): string {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  return isNumber && (shape.kind === 'int32' || shape.kind === 'int64') ? `number ${value}` : kindOf(value);
}

function goType(shape: Shape): string {
  switch (shape.kind) {
    case 'any':
      return 'interface {}';
    case 'map':
      return 'map[string]interface {}';
    case 'rows':
      return '[]map[string]interface {}';
    case 'list':
      return `[]${goType(shape.of)}`;
    case 'struct':
      return `httpserver.${shape.name}`;
    default:
      return shape.kind;
  }
}
