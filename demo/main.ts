import { connect } from 'elanus';
import { type BrowserDatabase, type Elanus, type Embedder, open } from 'elanus/browser';
import { COLLECTION, explain, type Filters, fill, isFilled, nearest, type ProductHit, vectorOf } from './catalog.ts';
import { loadProducts, type Product } from './data/products.ts';
import { loadModel } from './embedder/load.ts';
import { priceText, showResults } from './results.ts';

const IDEAS = [
  'puzzle for a rainy day',
  'beginner acoustic guitar',
  'remote control car',
  'baby bath toy',
  'studio microphone',
  'dinosaur',
];

function find<Type extends HTMLElement>(id: string): Type {
  return document.getElementById(id) as Type;
}

const view = {
  query: find<HTMLInputElement>('query'),
  timing: find<HTMLOutputElement>('timing'),
  category: find<HTMLSelectElement>('category'),
  price: find<HTMLInputElement>('price'),
  priceLabel: find<HTMLOutputElement>('price-label'),
  results: find<HTMLOListElement>('results'),
  notice: find('notice'),
  where: [...document.querySelectorAll<HTMLInputElement>('input[name="where"]')],
};

/** The prices of the slider's hundred steps: as many products lie below step 10 as between 10 and 20. */
let priceSteps: number[] = [];
let tab: BrowserDatabase;
let edge: Elanus | undefined;
let filling: Promise<Elanus> | undefined;
let embedder: Embedder;
let products: readonly Product[] = [];
/** A product that more are wanted like, instead of the words in the box. */
let seed: ProductHit | undefined;
let running: AbortController | undefined;

function filters(): Filters {
  const step = Number(view.price.value);
  return { category: view.category.value, priceMax: step >= 100 ? undefined : priceSteps[step] };
}

function atEdge(): boolean {
  return view.where.some((input) => input.checked && input.value === 'edge');
}

function notify(text: string | undefined): void {
  view.notice.hidden = text === undefined;
  view.notice.textContent = text ?? '';
}

/** Searches for what the page says now; an older search that is still under way is given up. */
async function search(): Promise<void> {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  try {
    const db = atEdge() ? await edgeDatabase() : tab;
    const began = performance.now();
    const vector = await queryVector(db);
    const embedded = performance.now();
    if (vector === undefined || controller.signal.aborted) return;
    const hits = await nearest(db, vector, filters(), {
      signal: controller.signal,
      ...(seed === undefined ? {} : { without: seed.id }),
    });
    const done = performance.now();
    notify(seed === undefined ? undefined : `More like “${seed.title}”`);
    view.timing.textContent = `${(done - embedded).toFixed(1)} ms search · ${(embedded - began).toFixed(1)} ms embed`;
    document.documentElement.dataset['where'] = db === tab ? 'tab' : 'edge';
    showResults(view.results, hits, (hit) => {
      seed = hit;
      view.query.value = '';
      void search();
      scrollTo({ top: 0, behavior: 'smooth' });
    });
  } catch (error) {
    if ((error as { code?: string }).code !== 'aborted') notify(explain(error));
  }
}

async function queryVector(db: Elanus): Promise<Float32Array | undefined> {
  if (seed !== undefined) return vectorOf(db, seed.id);
  const text = view.query.value.trim() === '' ? 'toys and music' : view.query.value;
  return (await embedder.embed([text], { kind: 'query' }))[0];
}

/** The collection at the edge, filled at first use by the very calls that filled the tab's; searches wait for it. */
function edgeDatabase(): Promise<Elanus> {
  filling ??= fillEdge().catch((error: unknown) => {
    filling = undefined;
    throw error;
  });
  return filling;
}

async function fillEdge(): Promise<Elanus> {
  const db = connect({ url: location.origin });
  if (!(await isFilled(db, products.length))) {
    await fill(db, products, embedder, (done) =>
      notify(`Sending the products to the edge: ${done} of ${products.length}…`),
    );
  }
  edge = db;
  return db;
}

async function showFacts(): Promise<void> {
  const info = await tab.info();
  const count = await tab.count({ collectionName: COLLECTION });
  const mega = (bytes: number | undefined): string =>
    bytes === undefined ? 'not said' : `${(bytes / 2 ** 20).toFixed(1)} MB`;
  const facts: [string, string][] = [
    ['In this tab', `${count.toLocaleString('en')} products in ${info.storage}`],
    ['On disk', `${mega(info.bytesStored)} of ${mega(info.quota)} that the browser offers this site`],
    ['In WASM memory', `${mega(info.memory.bytes)} of at most ${mega(info.memory.bytesMax)} (${info.kernel})`],
    ['Kept', info.persisted === true ? 'yes, the browser will not evict it' : 'as long as the browser has room'],
    ['Embedder', `${embedder.model}, ${embedder.dimension} dimensions, computed from these products`],
    [
      'At the edge',
      edge === undefined ? 'nothing from this tab yet' : `the same collection, behind ${location.origin}/v2/vectordb`,
    ],
    ['Cross-origin isolated', String(crossOriginIsolated)],
  ];
  find('facts').replaceChildren(
    ...facts.flatMap(([term, text]) => {
      const dt = document.createElement('dt');
      dt.textContent = term;
      const dd = document.createElement('dd');
      dd.textContent = text;
      return [dt, dd];
    }),
  );
}

function fillControls(): void {
  const prices = products.map((product) => product.price).sort((a, b) => a - b);
  priceSteps = Array.from({ length: 100 }, (_, step) => prices[Math.floor((step / 100) * (prices.length - 1))] ?? 0);
  for (const category of [...new Set(products.map((product) => product.category))].sort()) {
    view.category.append(new Option(category, category));
  }
  for (const idea of IDEAS) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = idea;
    button.addEventListener('click', () => {
      view.query.value = idea;
      seed = undefined;
      void search();
    });
    find('ideas').append(button);
  }
}

function listen(): void {
  const restart = (): void => {
    seed = undefined;
    void search();
  };
  view.query.addEventListener('input', restart);
  find<HTMLFormElement>('search-form').addEventListener('submit', (event) => {
    event.preventDefault();
    restart();
  });
  view.category.addEventListener('change', () => void search());
  view.price.addEventListener('input', () => {
    const { priceMax } = filters();
    view.priceLabel.textContent = priceMax === undefined ? 'any price' : priceText(priceMax);
    void search();
  });
  for (const input of view.where) {
    input.addEventListener('change', () => {
      find('claim-where').textContent = atEdge() ? 'at the edge' : 'in this tab';
      void search();
    });
  }
  find<HTMLDetailsElement>('stored').addEventListener('toggle', () => void showFacts());
  find('persist').addEventListener('click', () => void tab.requestPersistence().then(showFacts));
  find('reset').addEventListener('click', () => void tab.destroy().then(() => location.reload()));
  const network = (): void => {
    find('network').hidden = navigator.onLine;
  };
  addEventListener('online', network);
  addEventListener('offline', network);
  network();
}

async function start(): Promise<void> {
  const text = find('loading-text');
  const bar = find<HTMLProgressElement>('loading-bar');
  try {
    if ('serviceWorker' in navigator && import.meta.env.PROD) {
      navigator.serviceWorker.register('./sw.js').catch(() => undefined);
    }
    [tab, embedder, products] = await Promise.all([open({ name: 'elanus-demo' }), loadModel(), loadProducts()]);
    if (!(await isFilled(tab, products.length))) {
      await fill(tab, products, embedder, (done) => {
        bar.value = (100 * done) / products.length;
        text.textContent = `${done.toLocaleString('en')} of ${products.length.toLocaleString('en')} products embedded and stored`;
      });
    }
    fillControls();
    listen();
    find('loading').hidden = true;
    find('shop').hidden = false;
    find('stored').hidden = false;
    await search();
    view.query.focus();
    document.documentElement.dataset['ready'] = 'true';
  } catch (error) {
    text.textContent = explain(error);
    bar.hidden = true;
  }
}

void start();
