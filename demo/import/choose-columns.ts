import { make } from '../page/elements.ts';
import { bytesText, counted } from '../page/words.ts';
import type { ColumnFacts } from './columns.ts';
import { keyOf } from './plan.ts';
import { type FileFacts, guessText, guessTitle } from './scan.ts';

/** What the form of an import says about columns. */
export interface ColumnChoices {
  readonly text: string;
  readonly title: string;
  readonly kept: readonly string[];
  /** The column whose vectors are taken as they are. */
  readonly vectors: string | undefined;
}

/** A form part, and what it says now. */
export interface ColumnForm {
  readonly element: HTMLElement;
  read(): ColumnChoices;
}

/** Fields kept unless somebody says otherwise: the rest of a very wide table is rarely looked at. */
const KEPT_AT_FIRST = 24;

/**
 * The preview of a file with the choices that a person has: which column is searched, which names a row, and which are
 * kept. All are guessed.
 */
export function columnForm(facts: FileFacts): ColumnForm {
  const texts = facts.columns.filter(({ kind }) => kind === 'text');
  const text = select('import-text-column', texts, guessText(facts.columns)?.name);
  const title = select('import-title-column', texts, guessTitle(facts.columns, text.value)?.name);
  const vectorColumns = facts.columns.filter(({ kind }) => kind === 'vector');
  const vectors = vectorColumns[0] === undefined ? undefined : vectorChoice(vectorColumns);
  const boxes = facts.columns
    .filter(({ kind }) => kind !== 'empty' && kind !== 'vector')
    .map((column, at) => ({ name: column.name, ...keepBox(column, at < KEPT_AT_FIRST, facts) }));
  const lock = (): void => {
    // What is searched and what names a row are kept in any case.
    for (const { name, box, isKey } of boxes) {
      const isNeeded = isKey || name === text.value || name === title.value;
      if (isNeeded) box.checked = true;
      box.disabled = isNeeded;
    }
  };
  for (const choice of [text, title]) choice.addEventListener('change', lock);
  lock();
  const element = make(
    'div',
    { class: 'import-form' },
    make('p', { class: 'summary' }, summaryOf(facts)),
    ...warningsOf(facts).map((warning) => make('p', { class: 'warning' }, warning)),
    make(
      'div',
      { class: 'pair' },
      make('label', {}, 'Search in', text, make('small', {}, 'This text is turned into vectors.')),
      make('label', {}, 'Named by', title, make('small', {}, 'What a result is called.')),
    ),
    ...(vectors === undefined ? [] : [vectors.element]),
    make(
      'fieldset',
      { class: 'keep' },
      make('legend', {}, 'Also keep'),
      make('div', { class: 'boxes' }, ...boxes.map(({ label }) => label)),
    ),
    preview(facts),
  );
  return {
    element,
    read: () => ({
      text: text.value,
      title: title.value,
      kept: boxes.filter(({ box }) => box.checked).map(({ name }) => name),
      vectors: vectors?.read(),
    }),
  };
}

function summaryOf(facts: FileFacts): string {
  const format = { csv: 'CSV', json: 'a JSON list', 'json-lines': 'JSON lines' }[facts.format];
  const key = keyOf(facts);
  const keyed = key === undefined ? 'Rows are numbered.' : `The key is “${key.name}”: no two rows have the same.`;
  return `${counted(facts.rows, 'row')} of ${counted(facts.columns.length, 'column')}, ${bytesText(facts.bytes)}, ${format}. ${keyed}`;
}

function warningsOf(facts: FileFacts): string[] {
  const empty = facts.columns.filter(({ kind }) => kind === 'empty').map(({ name }) => name);
  return [
    ...(facts.longTexts === 0
      ? []
      : [`${counted(facts.longTexts, 'text')} longer than 65,535 bytes will be cut there: a field takes no more.`]),
    ...(facts.roundedNumbers === 0
      ? []
      : [
          `${counted(facts.roundedNumbers, 'whole number')} beyond 9,007,199,254,740,991 may have been rounded, as JSON numbers are. Written as texts they stay exact.`,
        ]),
    ...(empty.length === 0 ? [] : [`Left out, because every row lacks them: ${empty.join(', ')}.`]),
  ];
}

function select(id: string, columns: readonly ColumnFacts[], chosen: string | undefined): HTMLSelectElement {
  const element = make('select', { id });
  for (const { name } of columns) element.append(new Option(name, name, name === chosen, name === chosen));
  return element;
}

function vectorChoice(columns: readonly ColumnFacts[]): { element: HTMLElement; read(): string | undefined } {
  const element = make('select', { id: 'import-vectors' });
  for (const { name, dimension } of columns) {
    element.append(new Option(`Take those in “${name}” (${dimension} numbers each)`, name));
  }
  element.append(new Option('Embed the text anew', ''));
  return {
    element: make(
      'label',
      {},
      'Vectors',
      element,
      make('small', {}, 'Words can be searched only with the model that made the vectors.'),
    ),
    read: () => (element.value === '' ? undefined : element.value),
  };
}

interface KeepBox {
  readonly label: HTMLElement;
  readonly box: HTMLInputElement;
  readonly isKey: boolean;
}

function keepBox(column: ColumnFacts, isKept: boolean, facts: FileFacts): KeepBox {
  const isKey = column === keyOf(facts);
  const box = make('input', { type: 'checkbox', checked: isKept });
  const missing = column.missing === 0 ? '' : `, ${column.missing.toLocaleString('en')} missing`;
  const kind = column.choices === undefined ? column.kind : `${column.choices.length} values`;
  const label = make('label', {}, box, ` ${column.name} `, make('small', {}, isKey ? 'key' : `${kind}${missing}`));
  return { label, box, isKey };
}

/** The first rows as the file has them. */
function preview(facts: FileFacts): HTMLElement {
  const columns = facts.columns.slice(0, 12);
  const cell = (value: unknown): string => {
    const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
    return text.length > 80 ? `${text.slice(0, 80)}…` : text;
  };
  const head = columns.map(({ name }) => make('th', { scope: 'col' }, name));
  const rows = facts.first.map(({ values }) =>
    make('tr', {}, ...columns.map(({ name }) => make('td', {}, cell(values[name])))),
  );
  return make(
    'div',
    { class: 'preview', tabindex: 0, role: 'region', 'aria-label': 'The first rows of the file' },
    make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows)),
  );
}
