/**
 * What a column of a file holds. Scalars of several kinds are `text`, lists and objects `json`; a `vector` is a list of
 * numbers as long in every row.
 */
export type ColumnKind = 'boolean' | 'integer' | 'number' | 'text' | 'json' | 'vector' | 'empty';

/** A column, after every row has been looked at. */
export interface ColumnFacts {
  /** As the file names it. */
  readonly name: string;
  /** As the collection names it: ASCII letters, digits and `_`. */
  readonly field: string;
  readonly kind: ColumnKind;
  /** Rows without a value. */
  readonly missing: number;
  /** Of `integer` and `number`. */
  readonly least?: number;
  readonly most?: number;
  /** Different values, sorted, where there are few; of `text` and `boolean`. */
  readonly choices?: readonly string[];
  /** Mean length of a `text`, in characters. */
  readonly meanLength: number;
  /** Bytes of the longest `text`. */
  readonly bytesMax: number;
  /** Whether every row has a value and no two have the same; looked at only where the name says that it may be a key. */
  readonly isKey: boolean;
  /** Of a `vector`. */
  readonly dimension?: number;
  /** The first value, as a person reads it. */
  readonly example: string;
}

/** More different values than this are no list to choose from. */
export const CHOICES_MAX = 40;
/** A choice is a short text. */
const CHOICE_CHARACTERS_MAX = 60;
/** Most values of a vector, of two at least. */
const DIMENSION_MAX = 32_768;
const KEY_NAME = /^_?(id|key|uuid|uid|guid|row)$/i;
/** Most bytes of a text that is a key. */
const KEY_BYTES_MAX = 512;

const INTEGER = /^-?(0|[1-9]\d{0,15})$/;
const NUMBER = /^[-+]?(0|[1-9]\d*)?(\.\d+)?([eE][-+]?\d{1,3})?$/;
const encoder = new TextEncoder();

/** The value of a cell in the form in which a collection takes it; null where there is none. */
export function toValue(kind: ColumnKind, value: unknown): unknown {
  if (kind === 'text' && value === '') return '';
  if (value === undefined || value === null || value === '') return null;
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : String(value).toLowerCase() === 'true';
    case 'integer':
    case 'number':
      return Number(value);
    case 'text':
      return typeof value === 'string' ? cutText(value) : String(value);
    case 'vector':
      return Float32Array.from(value as number[]);
    case 'json':
      return value;
    case 'empty':
      return null;
  }
}

/** Most bytes of a text that a collection takes. */
export const TEXT_BYTES_MAX = 65_535;

/** A text of at most `TEXT_BYTES_MAX` bytes: the end of a longer one is cut, between two characters. */
function cutText(text: string): string {
  if (text.length * 3 <= TEXT_BYTES_MAX) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(TEXT_BYTES_MAX)).read);
}

/** Looks at one column, row by row. */
export class ColumnScan {
  readonly #name: string;
  readonly #isTyped: boolean;
  #present = 0;
  #isBoolean = true;
  #isInteger = true;
  #isNumber = true;
  #isScalar = true;
  #dimension: number | undefined;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #choices: Set<string> | undefined = new Set();
  #keys: Set<unknown> | undefined;
  #characters = 0;
  #bytesMax = 0;
  #example = '';

  /** @param isTyped whether the file says itself what is a number and what a text, as JSON does and CSV does not */
  constructor(name: string, isTyped: boolean) {
    this.#name = name;
    this.#isTyped = isTyped;
    this.#keys = KEY_NAME.test(name) ? new Set() : undefined;
  }

  /** Takes the value of the next row. */
  add(value: unknown): void {
    // An empty text in CSV may stand for anything that is not there; in JSON it is a text.
    if (value === undefined || value === null || (value === '' && !this.#isTyped)) return;
    this.#present++;
    if (this.#example === '') this.#example = exampleOf(value);
    this.#judge(value);
    const isScalar = typeof value !== 'object';
    if (this.#choices !== undefined) this.#choose(isScalar ? String(value) : undefined);
    if (this.#keys !== undefined) this.#key(isScalar ? value : undefined);
  }

  /** What the column is, `rows` rows in all: those before its first value lack it. */
  facts(rows: number, field: string): ColumnFacts {
    const kind = this.#kind(rows);
    const isNumeric = kind === 'integer' || kind === 'number';
    // A list to choose from is one whose choices come again.
    const hasChoices = this.#choices !== undefined && this.#choices.size <= rows / 2;
    const canBeKey = kind === 'integer' || (kind === 'text' && this.#bytesMax <= KEY_BYTES_MAX);
    return {
      name: this.#name,
      field,
      kind,
      missing: rows - this.#present,
      ...(isNumeric ? { least: this.#least, most: this.#most } : {}),
      ...(hasChoices && (kind === 'text' || kind === 'boolean') ? { choices: [...(this.#choices ?? [])].sort() } : {}),
      meanLength: this.#present === 0 ? 0 : this.#characters / this.#present,
      bytesMax: this.#bytesMax,
      isKey: canBeKey && this.#keys?.size === rows,
      ...(kind === 'vector' && this.#dimension !== undefined ? { dimension: this.#dimension } : {}),
      example: this.#example,
    };
  }

  #kind(rows: number): ColumnKind {
    if (this.#present === 0) return 'empty';
    if (this.#isBoolean) return 'boolean';
    if (this.#isInteger) return 'integer';
    if (this.#isNumber) return 'number';
    if (this.#isScalar) return 'text';
    return this.#dimension !== undefined && this.#dimension > 0 && this.#present === rows ? 'vector' : 'json';
  }

  #judge(value: unknown): void {
    const isWritten = typeof value === 'string' && !this.#isTyped;
    this.#isBoolean &&= typeof value === 'boolean' || (isWritten && /^(true|false)$/i.test(value));
    const isNumber =
      typeof value === 'number' || (isWritten && /\d/.test(value) && NUMBER.test(value) && !isTooLong(value));
    const number = isNumber ? Number(value) : Number.NaN;
    this.#isNumber &&= Number.isFinite(number);
    this.#isInteger &&= Number.isSafeInteger(number) && INTEGER.test(String(value));
    if (this.#isNumber) {
      this.#least = Math.min(this.#least, number);
      this.#most = Math.max(this.#most, number);
    }
    this.#isScalar &&= typeof value !== 'object';
    if (typeof value === 'string') {
      this.#characters += value.length;
      if (value.length * 3 > this.#bytesMax) this.#bytesMax = Math.max(this.#bytesMax, encoder.encode(value).length);
    }
    if (this.#dimension !== 0) this.#measureVector(value);
  }

  /** 0 once a value was no vector, or one of another length. */
  #measureVector(value: unknown): void {
    const isVector =
      Array.isArray(value) &&
      value.length >= 2 &&
      value.length <= DIMENSION_MAX &&
      value.every((entry) => typeof entry === 'number');
    const length = isVector ? (value as unknown[]).length : 0;
    this.#dimension = this.#dimension === undefined || this.#dimension === length ? length : 0;
  }

  #choose(text: string | undefined): void {
    if (text === undefined || text.length > CHOICE_CHARACTERS_MAX) this.#choices = undefined;
    else if (this.#choices?.add(text) !== undefined && this.#choices.size > CHOICES_MAX) this.#choices = undefined;
  }

  #key(value: unknown): void {
    const before = this.#keys?.size ?? 0;
    const after = value === undefined ? before : this.#keys?.add(String(value)).size;
    if (after === before) this.#keys = undefined;
  }
}

/** Whether a whole number has more digits than a number keeps: an account, a bar code. It stays a text. */
function isTooLong(text: string): boolean {
  return /^[-+]?\d+$/.test(text) && !Number.isSafeInteger(Number(text));
}

function exampleOf(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Names that the filter language, the engine or the page has taken. */
const TAKEN = new Set([
  'and',
  'or',
  'not',
  'in',
  'like',
  'exists',
  'true',
  'false',
  'is',
  'null',
  'rowid',
  'timestamp',
  'vector',
  'distance',
]);

/** Names of fields for names of columns: what a field may not hold becomes `_`, and no two are the same. */
export function fieldNames(columns: readonly string[]): string[] {
  const given = new Set<string>();
  return columns.map((column, at) => {
    const plain = column
      .normalize('NFKD')
      .replaceAll(/\p{M}+/gu, '')
      .replaceAll(/[^A-Za-z0-9_]+/g, '_')
      .replaceAll(/^_+(?=[A-Za-z])|_+$/g, '')
      .slice(0, 60);
    let name = /[A-Za-z]/.test(plain) ? plain.replace(/^(?=\d)/, '_') : `column_${at + 1}`;
    if (TAKEN.has(name.toLowerCase()) || /^(json|array|text|phrase|random)_/i.test(name)) name = `${name}_`;
    const base = name;
    for (let count = 2; given.has(name); count++) name = `${base}_${count}`;
    given.add(name);
    return name;
  });
}
