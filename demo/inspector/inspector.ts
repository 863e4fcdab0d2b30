import type { BrowserDatabase, Info } from 'elanus/browser';
import { factList, find, make } from '../page/elements.ts';
import { linkText, showRole } from '../page/tab-role.ts';
import { bytesText, explain } from '../page/words.ts';
import { memoryPanel } from './memory-panel.ts';
import { type SearchTimes, searchPanel } from './search-panel.ts';
import { segmentTable } from './segment-table.ts';

/** While it is open, what it shows is no older than this. */
const REFRESH_MS = 2000;

/** What the database consists of and what it does, for those who want to look. */
export class Inspector {
  readonly #db: BrowserDatabase;
  readonly #details = find<HTMLDetailsElement>('inspector');
  readonly #facts = make('div');
  readonly #memory = make('div');
  readonly #search = make('div', {}, ...searchPanel(undefined));
  readonly #table = make('div', { class: 'tables', tabindex: 0, role: 'region', 'aria-label': 'Segments' });
  readonly #problem = make('p', { class: 'problem', role: 'alert', hidden: true });
  #timer = 0;

  /** @param onOpen is called when somebody begins to look: a search made now tells its steps */
  constructor(db: BrowserDatabase, onOpen: () => void) {
    this.#db = db;
    find('inspector-body').append(
      this.#problem,
      make(
        'div',
        { class: 'panels' },
        panel('This database', this.#facts),
        panel('Memory of the engine', this.#memory),
        panel('The last search, by step', this.#search),
      ),
      this.#table,
    );
    this.#details.addEventListener('toggle', () => {
      if (this.#details.open) onOpen();
      this.#look();
    });
    find('persist').addEventListener('click', () => void db.requestPersistence().then(() => this.#look()));
    find('reset').addEventListener('click', () => void db.destroy().then(() => location.reload()));
  }

  get isOpen(): boolean {
    return this.#details.open;
  }

  /** Tells of the last search. */
  tellSearch(times: SearchTimes): void {
    this.#search.replaceChildren(...searchPanel(times));
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (!this.#details.open) return;
    this.#show()
      .then(
        () => {
          this.#problem.hidden = true;
        },
        (error: unknown) => {
          this.#problem.hidden = false;
          this.#problem.textContent = explain(error);
        },
      )
      .finally(() => {
        clearTimeout(this.#timer);
        this.#timer = window.setTimeout(() => this.#look(), REFRESH_MS);
      });
  }

  async #show(): Promise<void> {
    const [info, inspection] = await Promise.all([this.#db.info(), this.#db.inspect()]);
    showRole(info);
    this.#facts.replaceChildren(factList(factsOf(info)));
    this.#memory.replaceChildren(...memoryPanel(inspection.memory));
    this.#table.replaceChildren(segmentTable(inspection.collections));
  }
}

function panel(title: string, content: HTMLElement): HTMLElement {
  return make('section', { class: 'panel' }, make('h3', {}, title), content);
}

function factsOf(info: Info): [string, string][] {
  const { tab } = info;
  const role = tab?.leads
    ? `runs the engine (${tab.id})`
    : `${tab?.id}: asks tab ${tab?.leader}, by ${linkText(tab?.link ?? 'own')}`;
  return [
    ...(tab === undefined ? [] : [['This tab', role] satisfies [string, string]]),
    ['Lies in', info.storage],
    ['On disk', `${bytesText(info.bytesStored)} of ${bytesText(info.quota)} that the browser offers this site`],
    ['Kept', info.persisted === true ? 'yes, the browser will not evict it' : 'as long as the browser has room'],
    ['Kernel', `WebAssembly, ${info.kernel}`],
    ['Version', info.version],
    ['Cross-origin isolated', crossOriginIsolated ? 'yes' : 'no, and it need not be'],
  ];
}
