import type { Facet } from '../collections/profile.ts';
import { make } from '../page/elements.ts';
import { priceText } from '../page/words.ts';

/** A filter as a search takes it. Values travel beside the text, never inside it. */
export interface Filter {
  readonly filter: string;
  readonly exprParams: Readonly<Record<string, unknown>>;
}

/** A field that a filter may name. */
export interface FilterField {
  readonly name: string;
  readonly type: string;
}

/** One condition, or undefined if its control says nothing. */
type Condition = () => { readonly text: string; readonly params: Readonly<Record<string, unknown>> } | undefined;

/**
 * The controls of a collection's facets, and a box for those who know the filter language. `onChange` is called at every
 * change; `read` gives what they say then.
 */
export class FilterBar {
  readonly #place: HTMLElement;
  readonly #onChange: () => void;
  #conditions: Condition[] = [];

  constructor(place: HTMLElement, onChange: () => void) {
    this.#place = place;
    this.#onChange = onChange;
  }

  /** Shows the controls of these facets, all of them saying nothing. */
  show(facets: readonly Facet[], fields: readonly FilterField[]): void {
    this.#conditions = [];
    this.#place.replaceChildren(...facets.map((facet, at) => this.#control(facet, `v${at}`)), this.#written(fields));
  }

  /** All conditions together; an empty filter if there are none. */
  read(): Filter {
    const said = this.#conditions.flatMap((condition) => condition() ?? []);
    return {
      filter: said.map(({ text }) => text).join(' and '),
      exprParams: Object.assign({}, ...said.map(({ params }) => params)) as Record<string, unknown>,
    };
  }

  #control(facet: Facet, name: string): HTMLElement {
    switch (facet.kind) {
      case 'choice':
        return this.#select(facet.label, facet.choices, (value) => ({
          text: `${facet.field} == {${name}}`,
          params: { [name]: value },
        }));
      case 'yes-no':
        return this.#select(facet.label, ['yes', 'no'], (value) => ({
          text: `${facet.field} == ${value === 'yes'}`,
          params: {},
        }));
      case 'range':
        return this.#range(facet, name);
      case 'price':
        return this.#price(facet, name);
    }
  }

  #select(
    label: string,
    choices: readonly string[],
    condition: (value: string) => { readonly text: string; readonly params: Readonly<Record<string, unknown>> },
  ): HTMLElement {
    const select = make('select', { onchange: this.#onChange }, new Option('All', ''));
    for (const choice of choices) select.append(new Option(choice, choice));
    this.#conditions.push(() => (select.value === '' ? undefined : condition(select.value)));
    return make('label', {}, label, select);
  }

  #range(facet: Facet & { readonly kind: 'range' }, name: string): HTMLElement {
    const bound = (which: 'least' | 'most', symbol: string): HTMLInputElement => {
      const input = make('input', {
        type: 'number',
        step: 'any',
        placeholder: facet[which],
        'aria-label': `${facet.label}, ${which === 'least' ? 'at least' : 'at most'}`,
        oninput: this.#onChange,
      });
      const key = `${name}${which}`;
      this.#conditions.push(() => {
        const value = input.valueAsNumber;
        return Number.isNaN(value)
          ? undefined
          : { text: `${facet.field} ${symbol} {${key}}`, params: { [key]: value } };
      });
      return input;
    };
    return make(
      'div',
      { class: 'range', role: 'group', 'aria-label': facet.label },
      make('span', {}, facet.label),
      bound('least', '>='),
      '–',
      bound('most', '<='),
    );
  }

  #price(facet: Facet & { readonly kind: 'price' }, name: string): HTMLElement {
    const output = make('output', {}, 'any price');
    const slider = make('input', { type: 'range', min: 0, max: facet.steps.length, value: facet.steps.length });
    slider.setAttribute('aria-label', 'Highest price');
    const highest = (): number | undefined => facet.steps[Number(slider.value)];
    slider.addEventListener('input', () => {
      const price = highest();
      output.textContent = price === undefined ? 'any price' : priceText(price);
      slider.setAttribute('aria-valuetext', output.textContent);
      this.#onChange();
    });
    this.#conditions.push(() => {
      const price = highest();
      return price === undefined ? undefined : { text: `${facet.field} <= {${name}}`, params: { [name]: price } };
    });
    return make('label', { class: 'price' }, facet.label, output, slider);
  }

  #written(fields: readonly FilterField[]): HTMLElement {
    const input = make('input', {
      type: 'text',
      class: 'expression',
      spellcheck: 'false',
      autocomplete: 'off',
      placeholder: `filter, e.g. ${exampleOf(fields)}`,
      'aria-label': `Filter expression over ${fields.map(({ name }) => name).join(', ')}`,
      oninput: this.#onChange,
    });
    this.#conditions.push(() => (input.value.trim() === '' ? undefined : { text: `(${input.value})`, params: {} }));
    return input;
  }
}

function exampleOf(fields: readonly FilterField[]): string {
  const text = fields.find(({ type }) => type === 'VarChar');
  return text === undefined ? `${fields[0]?.name ?? 'id'} > 1` : `${text.name} like "A%"`;
}
