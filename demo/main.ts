import { connect } from 'elanus';
import { type BrowserDatabase, type Elanus, ElanusError, type Embedder, open } from 'elanus/browser';
import { askToDelete } from './collections/delete-dialog.ts';
import { fillProducts, PRODUCTS } from './collections/products.ts';
import { Shelf, type ShelvedCollection } from './collections/shelf.ts';
import { Embedders } from './embedders/embedders.ts';
import { ExportDialog } from './export/export-dialog.ts';
import { ImportDialog } from './import/import-dialog.ts';
import { Inspector } from './inspector/inspector.ts';
import { startAppearance } from './page/appearance.ts';
import { find } from './page/elements.ts';
import { startOffline } from './page/offline.ts';
import { showRole } from './page/tab-role.ts';
import { explain } from './page/words.ts';
import { MapView } from './picture/map-view.ts';
import { SearchView } from './search/search-view.ts';
import { startTextWorker, type TextClient } from './text/text-client.ts';

const IDEAS = [
  'puzzle for a rainy day',
  'beginner acoustic guitar',
  'remote control car',
  'baby bath toy',
  'studio microphone',
  'dinosaur',
];

/** Changes that follow one another within this time are shown at once. */
const CHANGES_MS = 200;

/** The page, once its database is open and filled. */
class Desk {
  readonly #db: BrowserDatabase;
  readonly #text: TextClient;
  readonly #embedders: Embedders;
  readonly #shelf: Shelf;
  readonly #search: SearchView;
  readonly #map: MapView;
  readonly #inspector: Inspector;
  #edge: Promise<Elanus> | undefined;
  #isFirst = true;
  #changed = 0;
  #showing: Promise<void> | undefined;

  constructor(db: BrowserDatabase, text: TextClient, embedders: Embedders) {
    this.#db = db;
    this.#text = text;
    this.#embedders = embedders;
    this.#shelf = new Shelf(db, (collection) => {
      this.#showing = this.#show(collection);
    });
    this.#map = new MapView({
      db,
      onChoose: (key) => {
        const profile = this.#shelf.selected?.profile;
        if (profile !== undefined) void this.#likeKey(key);
      },
    });
    this.#inspector = new Inspector(db, () => void this.#search.search());
    this.#search = new SearchView({
      database: () => (this.#isAtEdge() ? this.#edgeDatabase() : Promise.resolve(db)),
      embedder: (collection) => this.#embedderOf(collection),
      onHits: (hits, done) => {
        document.documentElement.dataset['where'] = this.#isAtEdge() ? 'edge' : 'tab';
        this.#map.light(hits, done.collection);
        this.#inspector.tellSearch(done);
      },
      onLook: (key) => this.#map.look(key),
      wantsTrace: () => this.#inspector.isOpen && !this.#isAtEdge(),
    });
    this.#listen();
  }

  /** Shows what there is. */
  async start(): Promise<void> {
    // Whatever any tab writes is shown here too; changes that come together are looked at together.
    this.#db.subscribe(() => {
      if (this.#changed !== 0) return;
      this.#changed = window.setTimeout(() => {
        this.#changed = 0;
        this.#lookAgain().catch((error: unknown) => this.#search.say(explain(error), true));
      }, CHANGES_MS);
    });
    await this.#shelf.refresh();
    showRole(await this.#db.info());
    await this.#showing;
  }

  /** Shows what has become of the collections, by whomever. */
  async #lookAgain(): Promise<void> {
    const before = this.#shelf.selected;
    await this.#shelf.refresh();
    showRole(await this.#db.info());
    const now = this.#shelf.selected;
    if (now === undefined || now.name !== before?.name) return;
    // One of the same name may have been made anew.
    if (JSON.stringify(now.profile) !== JSON.stringify(before.profile)) return this.#show(now);
    this.#map.show(now);
    await this.#search.search();
  }

  async #show(collection: ShelvedCollection): Promise<void> {
    const isProducts = collection.name === PRODUCTS;
    find('where').hidden = !isProducts;
    find('delete-open').hidden = isProducts;
    if (!isProducts) find<HTMLInputElement>('where-tab').checked = true;
    this.#map.show(collection);
    // The first thing that somebody sees is what a search looks like.
    const asked = isProducts && this.#isFirst ? IDEAS[0] : '';
    this.#isFirst = false;
    await this.#search.show(collection, isProducts ? IDEAS : [], asked);
  }

  #isAtEdge(): boolean {
    return find<HTMLInputElement>('where-edge').checked;
  }

  /** The products at the edge, filled at first use by the very calls that filled the tab's; searches wait for it. */
  #edgeDatabase(): Promise<Elanus> {
    this.#edge ??= this.#fillEdge().catch((error: unknown) => {
      this.#edge = undefined;
      throw error;
    });
    return this.#edge;
  }

  async #fillEdge(): Promise<Elanus> {
    const db = connect({ url: location.origin });
    const own = await this.#embedders.own();
    await fillProducts(db, this.#text, own, (done, total) =>
      this.#search.say(`Sending the products to the edge: ${done} of ${total}…`),
    );
    return db;
  }

  async #embedderOf({ profile }: ShelvedCollection): Promise<Embedder> {
    const choice = profile.embedder;
    const embedder = await this.#embedders.ready(choice);
    if (embedder !== undefined) return embedder;
    if (choice.kind !== 'transformers') {
      throw new ElanusError(
        'unsupported',
        'The vectors of this collection came with its file, and their model is not here: search with “More like this”.',
      );
    }
    this.#search.offer(`Load ${choice.model}`, (say) => this.#embedders.transformers(choice, say));
    throw new ElanusError(
      'unavailable',
      `This collection was embedded with ${choice.model}. To search it by words, code from ${choice.moduleUrl} has to be loaded and run in this page.`,
    );
  }

  async #likeKey(key: string | number): Promise<void> {
    const collection = this.#shelf.selected;
    if (collection === undefined) return;
    const outputFields = [collection.profile.key, collection.profile.title, collection.profile.text];
    const [row] = await this.#db.get({ collectionName: collection.name, id: key, outputFields });
    if (row !== undefined) await this.#search.searchLike({ ...row, distance: 1 });
  }

  #listen(): void {
    const exporting = new ExportDialog(this.#db, this.#text);
    const selected = (act: (collection: ShelvedCollection) => void) => (): void => {
      const collection = this.#shelf.selected;
      if (collection !== undefined) act(collection);
    };
    new ImportDialog({
      db: this.#db,
      text: this.#text,
      embedders: this.#embedders,
      onImported: (name) => void this.#shelf.refresh().then(() => this.#shelf.select(name)),
    });
    find('export-open').addEventListener(
      'click',
      selected((collection) => exporting.open(collection)),
    );
    find('delete-open').addEventListener(
      'click',
      selected((collection) => askToDelete(this.#db, collection, () => void this.#shelf.refresh())),
    );
    for (const id of ['where-tab', 'where-edge']) {
      find(id).addEventListener('change', () => {
        find('claim-where').textContent = this.#isAtEdge() ? 'at the edge' : 'in this tab';
        void this.#search.search();
      });
    }
  }
}

async function start(): Promise<void> {
  startAppearance();
  startOffline();
  const text = find('loading-text');
  const bar = find<HTMLProgressElement>('loading-bar');
  try {
    const worker = startTextWorker();
    const embedders = new Embedders(worker);
    const [db, own] = await Promise.all([open({ name: 'elanus-demo' }), embedders.own()]);
    await fillProducts(db, worker, own, (done, total) => {
      find('loading-heading').textContent = 'Making the database in your browser';
      find('loading-once').hidden = false;
      bar.value = (100 * done) / total;
      text.textContent = `${done.toLocaleString('en')} of ${total.toLocaleString('en')} products embedded and stored`;
    });
    find('loading').hidden = true;
    find('desk').hidden = false;
    await new Desk(db, worker, embedders).start();
    document.documentElement.dataset['ready'] = 'true';
  } catch (error) {
    find('loading').classList.add('failed');
    text.textContent = explain(error);
    bar.hidden = true;
  }
}

void start();
