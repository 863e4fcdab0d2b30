import type { Elanus } from 'elanus/browser';
import { find, make } from '../page/elements.ts';
import { counted } from '../page/words.ts';
import { PRODUCTS } from './products.ts';
import { type CollectionProfile, profileOf } from './profile.ts';

/** A collection that the page can show. */
export interface ShelvedCollection {
  readonly name: string;
  readonly profile: CollectionProfile;
  readonly count: number;
  /** Of a vector, and of a query. */
  readonly dimension: number;
  /** Fields with their types, in the order of the schema. */
  readonly fields: readonly { readonly name: string; readonly type: string }[];
}

/** The collections of this page's database, as buttons; one of them is selected. */
export class Shelf {
  readonly #db: Elanus;
  readonly #onSelect: (collection: ShelvedCollection) => void;
  #collections: readonly ShelvedCollection[] = [];
  #selected = '';
  #refreshing: Promise<void> | undefined;
  #isStale = false;

  constructor(db: Elanus, onSelect: (collection: ShelvedCollection) => void) {
    this.#db = db;
    this.#onSelect = onSelect;
    addEventListener('hashchange', () => this.#follow());
  }

  get collections(): readonly ShelvedCollection[] {
    return this.#collections;
  }

  get selected(): ShelvedCollection | undefined {
    return this.#collections.find(({ name }) => name === this.#selected);
  }

  /** Reads what there is and shows it. One reading runs at a time; a call meanwhile makes one more after it. */
  refresh(): Promise<void> {
    this.#isStale = true;
    this.#refreshing ??= this.#refreshWhileStale().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Shows a collection; the page's address names it, so that it can be kept and gone back to. */
  select(name: string): void {
    if (this.#selected === name) return;
    this.#selected = name;
    const address = name === PRODUCTS ? location.pathname + location.search : `#${name}`;
    if (decodeURIComponent(location.hash.slice(1)) !== (name === PRODUCTS ? '' : name)) {
      history.pushState(undefined, '', address);
    }
    this.#show();
    const { selected } = this;
    if (selected !== undefined) this.#onSelect(selected);
  }

  async #refreshWhileStale(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      const names = await this.#db.listCollections();
      const read = await Promise.all(names.map((name) => this.#read(name)));
      this.#collections = read
        .filter((collection) => collection !== undefined)
        .sort((a, b) => Number(b.name === PRODUCTS) - Number(a.name === PRODUCTS));
    }
    if (this.selected === undefined) this.#follow();
    else this.#show();
  }

  /** Undefined if the collection is not this page's, or was dropped meanwhile. */
  async #read(name: string): Promise<ShelvedCollection | undefined> {
    try {
      const [description, count] = await Promise.all([
        this.#db.describeCollection({ collectionName: name }),
        this.#db.count({ collectionName: name }),
      ]);
      const profile = profileOf(description);
      if (profile === undefined) return undefined;
      const vector = description.fields.find(({ type }) => type === 'FloatVector');
      const dimension = Number(vector?.params?.find(({ key }) => key === 'dim')?.value ?? 0);
      const fields = description.fields.map((field) => ({ name: field.name, type: field.type }));
      return { name, profile, count, dimension, fields };
    } catch (error) {
      if ((error as { code?: string }).code === 'not-found') return undefined;
      throw error;
    }
  }

  /** Shows what the address names, or the products. */
  #follow(): void {
    const named = decodeURIComponent(location.hash.slice(1));
    const known = this.#collections.some(({ name }) => name === named);
    this.select(known ? named : PRODUCTS);
  }

  #show(): void {
    find('shelf').replaceChildren(
      ...this.#collections.map(({ name, profile, count }) => {
        const isSelected = name === this.#selected;
        const button = make(
          'button',
          { type: 'button', 'aria-pressed': String(isSelected), 'data-name': name, onclick: () => this.select(name) },
          make('span', { class: 'label' }, profile.label),
          make('span', { class: 'count' }, count.toLocaleString('en')),
        );
        if (count < profile.rows) button.title = `${counted(count, 'row')} of ${profile.rows.toLocaleString('en')}`;
        return make('li', {}, button);
      }),
    );
  }
}
