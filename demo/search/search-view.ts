import type { Elanus, Embedder, Hit, SearchTrace } from 'elanus/browser';
import { outputFieldsOf, VECTOR_FIELD } from '../collections/profile.ts';
import type { ShelvedCollection } from '../collections/shelf.ts';
import { wantsLessMotion } from '../page/appearance.ts';
import { find, make } from '../page/elements.ts';
import { counted, durationText, explain, isAborted } from '../page/words.ts';
import { FilterBar } from './filters.ts';
import { showResults, titleOf } from './results.ts';

const LIMIT = 24;

/** What the search needs of the rest of the page. */
export interface SearchSurroundings {
  /** Where to search: this tab's database, or that of the edge. */
  database(): Promise<Elanus>;
  /** The embedder of a collection's vectors; rejects with what to tell the person if it cannot be had. */
  embedder(collection: ShelvedCollection): Promise<Embedder>;
  /** Results that are shown now. */
  onHits(hits: readonly Hit[], search: SearchDone): void;
  onLook(key: unknown): void;
  /** Whether somebody looks at where a search spends its time: else nothing is measured. */
  wantsTrace(): boolean;
}

/** A search that was done, and how long it took. */
export interface SearchDone {
  readonly collection: ShelvedCollection;
  readonly embedMs: number;
  readonly searchMs: number;
  /** Step by step, if it was wanted. */
  readonly trace: SearchTrace | undefined;
}

/** The search box with its filters and results, over one collection at a time. */
export class SearchView {
  readonly #surroundings: SearchSurroundings;
  readonly #query = find<HTMLInputElement>('query');
  readonly #filters: FilterBar;
  #collection: ShelvedCollection | undefined;
  /** A row that more are wanted like, instead of the words in the box. */
  #seed: Hit | undefined;
  #running: AbortController | undefined;
  /** What is shown, as text. */
  #results = '';

  constructor(surroundings: SearchSurroundings) {
    this.#surroundings = surroundings;
    this.#filters = new FilterBar(find('filters'), () => void this.search());
    const restart = (): void => {
      this.#seed = undefined;
      void this.search();
    };
    this.#query.addEventListener('input', restart);
    find<HTMLFormElement>('search-form').addEventListener('submit', (event) => {
      event.preventDefault();
      restart();
    });
  }

  /** Shows another collection, with nothing asked of it yet but `asked`. */
  show(collection: ShelvedCollection, ideas: readonly string[], asked = ''): Promise<void> {
    this.#collection = collection;
    this.#seed = undefined;
    this.#query.value = asked;
    this.#query.select();
    this.#query.placeholder = ideas[0] === undefined ? 'Describe what you look for' : `Describe it: “${ideas[0]}”`;
    this.#filters.show(
      collection.profile.facets,
      collection.fields.filter(({ type }) => type !== 'FloatVector'),
    );
    find('ideas').replaceChildren(...ideas.map((idea) => this.#idea(idea)));
    return this.search();
  }

  /** Searches for what is like a row, instead of for words. */
  searchLike(hit: Hit): Promise<void> {
    this.#seed = hit;
    this.#query.value = '';
    scrollTo({ top: 0, behavior: wantsLessMotion() ? 'instant' : 'smooth' });
    return this.search();
  }

  /** Searches for what the page says now; an older search that is still under way is given up. */
  async search(): Promise<void> {
    this.#running?.abort();
    const controller = new AbortController();
    this.#running = controller;
    const collection = this.#collection;
    if (collection === undefined) return;
    try {
      await this.#search(collection, controller.signal);
    } catch (error) {
      if (!controller.signal.aborted && !isAborted(error)) this.#fail(error);
    }
  }

  /** Says something above the results, or nothing. What was offered is withdrawn. */
  say(text: string | undefined, isError = false): void {
    const notice = find('notice');
    notice.hidden = text === undefined;
    notice.textContent = text ?? '';
    notice.classList.toggle('error', isError);
    if (!isError) find('notice-action').hidden = true;
  }

  /** Offers something to do, after which the search is tried again. */
  offer(label: string, act: (say: (text: string) => void) => Promise<unknown>): void {
    const button = find<HTMLButtonElement>('notice-action');
    button.hidden = false;
    button.disabled = false;
    button.textContent = label;
    button.onclick = () => {
      button.disabled = true;
      this.say('Loading…');
      act((text) => this.say(text)).then(
        () => this.search(),
        (error: unknown) => this.#fail(error),
      );
    };
  }

  async #search(collection: ShelvedCollection, signal: AbortSignal): Promise<void> {
    const { profile } = collection;
    const seed = this.#seed;
    const asked = this.#query.value;
    const database = await this.#surroundings.database();
    const began = performance.now();
    const vector = await this.#vector(database, collection, signal);
    const embedded = performance.now();
    if (signal.aborted) return;
    const body = this.#body(collection);
    let trace: SearchTrace | undefined;
    const onTrace = (told: SearchTrace): void => {
      trace = told;
    };
    const tracing = this.#surroundings.wantsTrace() ? { onTrace } : {};
    const hits =
      vector === undefined
        ? await browse(database, body, signal)
        : ((await database.search({ ...body, data: [vector] }, { signal, ...tracing }))[0] ?? []);
    const done = performance.now();
    if (signal.aborted) return;
    this.say(seed === undefined ? undefined : `More like “${titleOf(seed, profile)}”`);
    const timing =
      vector === undefined ? '' : `${durationText(done - embedded)} search · ${durationText(embedded - began)} embed`;
    find('timing').textContent = timing;
    find('result-count').textContent =
      vector === undefined ? 'The first rows' : `The nearest ${counted(hits.length, 'row')}`;
    const results = JSON.stringify([collection.name, hits]);
    // Results that a change elsewhere left as they were stay as they are, with the focus and what is selected in them.
    if (results !== this.#results) {
      this.#results = results;
      showResults(find('results'), hits, profile, {
        onMore: (hit) => void this.searchLike(hit),
        onLook: (key) => this.#surroundings.onLook(key),
      });
    }
    // What the results are of: they may be older than the words in the box.
    Object.assign(find('results').dataset, { collection: collection.name, query: asked });
    const told = { collection, embedMs: embedded - began, searchMs: done - embedded, trace };
    this.#surroundings.onHits(vector === undefined ? [] : hits, told);
  }

  /** Undefined if nothing was asked. */
  async #vector(db: Elanus, collection: ShelvedCollection, signal: AbortSignal): Promise<Float32Array | undefined> {
    if (this.#seed !== undefined) {
      const id = this.#seed[collection.profile.key] as number | string;
      const [row] = await db.get({ collectionName: collection.name, id, outputFields: [VECTOR_FIELD] }, { signal });
      return row?.[VECTOR_FIELD] as Float32Array | undefined;
    }
    const text = this.#query.value.trim();
    if (text === '') return undefined;
    const embedder = await this.#surroundings.embedder(collection);
    return (await embedder.embed([text], { kind: 'query', signal }))[0];
  }

  #body(collection: ShelvedCollection) {
    const { profile, name, fields } = collection;
    const { filter, exprParams } = this.#filters.read();
    const isNumber = fields.find((field) => field.name === profile.key)?.type === 'Int64';
    const without = this.#seed === undefined ? '' : `${profile.key} != {seed}`;
    const seed = this.#seed?.[profile.key];
    return {
      collectionName: name,
      limit: LIMIT,
      filter: [filter, without].filter((part) => part !== '').join(' and '),
      exprParams: { ...exprParams, ...(seed === undefined ? {} : { seed: isNumber ? Number(seed) : String(seed) }) },
      outputFields: outputFieldsOf(profile),
    };
  }

  #idea(idea: string): HTMLElement {
    const onclick = (): void => {
      this.#query.value = idea;
      this.#seed = undefined;
      void this.search();
    };
    return make('button', { type: 'button', onclick }, idea);
  }

  /** A filter that somebody is still writing is wrong until it is written: the results stay as they are. */
  #fail(error: unknown): void {
    this.say(explain(error), true);
  }
}

/** The first rows that match: what a collection shows before anything is asked. */
async function browse(
  db: Elanus,
  body: {
    readonly collectionName: string;
    readonly limit: number;
    readonly filter: string;
    readonly exprParams: Readonly<Record<string, unknown>>;
    readonly outputFields: readonly string[];
  },
  signal: AbortSignal,
): Promise<Hit[]> {
  const rows = await db.query(body, { signal });
  return rows.map((row) => ({ ...row, distance: Number.NaN }));
}
