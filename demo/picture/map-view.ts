import { proxy, type Remote, wrap } from 'comlink';
import type { Elanus, Hit } from 'elanus/browser';
import type { ShelvedCollection } from '../collections/shelf.ts';
import { wantsLessMotion } from '../page/appearance.ts';
import { find, make } from '../page/elements.ts';
import { counted, explain, isAborted } from '../page/words.ts';
import { drawLit, drawPoints, fromCanvas, GROUPS_MAX, type Palette, readPalette, toCanvas } from './drawing.ts';
import { loadPoints, POINTS_MAX, type Points } from './load-points.ts';
import type { PictureWorker } from './picture-worker.ts';
import { PointGrid } from './point-grid.ts';

/** How far from the pointer a point is still meant, of the picture's side. */
const REACH = 0.03;
/** One point in so many is lit at most, but always these many. */
const LIT_SHARE = 20;
const LIT_MIN = 5;
/** A collection that has not changed for so long has stopped growing. */
const QUIET_MS = 1500;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export interface MapSurroundings {
  readonly db: Elanus;
  /** A point was chosen: search for what is like it. */
  onChoose(key: string | number): void;
}

/**
 * The picture of a collection's vectors: near on it is near in space. What a search finds lights up. The list of results
 * says the same in words; the canvas tells a screen reader so, and can be walked with the arrow keys.
 */
export class MapView {
  readonly #surroundings: MapSurroundings;
  readonly #details = find<HTMLDetailsElement>('map');
  readonly #canvas = find<HTMLCanvasElement>('map-canvas');
  readonly #surface = find('map-surface');
  readonly #label = find('map-label');
  readonly #status = find('map-status');
  readonly #worker: Remote<PictureWorker>;
  #collection: ShelvedCollection | undefined;
  /** The collection whose points are there. */
  #drawn: ShelvedCollection | undefined;
  #loading: AbortController | undefined;
  #points: Points = { keys: [], titles: [], groups: [] };
  #pointByKey = new Map<string, number>();
  #places: Float32Array = new Float32Array();
  #colours = new Int8Array();
  #grid = new PointGrid(this.#places);
  #palette: Palette | undefined;
  #lit: readonly number[] = [];
  #hitKeys: readonly unknown[] = [];
  #looked: number | undefined;
  /** Where the arrow keys are; the pointer does not move them. */
  #walked: number | undefined;
  #frame = 0;
  #waiting = 0;

  constructor(surroundings: MapSurroundings) {
    this.#surroundings = surroundings;
    const worker = new Worker(new URL('./picture-worker.ts', import.meta.url), { type: 'module', name: 'picture' });
    this.#worker = wrap<PictureWorker>(worker);
    // On a phone the results come first; there the picture waits until it is asked for.
    this.#details.open = matchMedia('(min-width: 60rem)').matches;
    this.#details.addEventListener('toggle', () => this.#load());
    new ResizeObserver(() => this.#redraw()).observe(this.#canvas);
    addEventListener('appearance', () => {
      this.#palette = undefined;
      this.#redraw();
    });
    this.#listen();
  }

  /** Shows the picture of a collection. That of one that grows is made anew when it has stopped growing. */
  show(collection: ShelvedCollection): void {
    this.#collection = collection;
    clearTimeout(this.#waiting);
    if (this.#drawn?.name !== collection.name) {
      this.#clear();
      this.#load();
    } else {
      this.#waiting = window.setTimeout(() => this.#load(), QUIET_MS);
    }
  }

  /** Lights what a search found. */
  light(hits: readonly Hit[], collection: ShelvedCollection): void {
    this.#hitKeys = hits.map((hit) => hit[collection.profile.key]);
    this.#walked = undefined;
    this.#look(undefined);
    this.#relight();
  }

  /** Rings the point of a row that is looked at elsewhere. */
  look(key: unknown): void {
    this.#look(key === undefined ? undefined : this.#pointByKey.get(String(key)));
  }

  #clear(): void {
    this.#drawn = undefined;
    this.#points = { keys: [], titles: [], groups: [] };
    this.#pointByKey = new Map();
    this.#placed(new Float32Array());
    find('map-legend').replaceChildren();
  }

  #load(): void {
    const collection = this.#collection;
    if (!this.#details.open || collection === undefined) return;
    if (this.#drawn?.name === collection.name && this.#drawn.count === collection.count) return;
    this.#loading?.abort();
    const controller = new AbortController();
    this.#loading = controller;
    this.#drawn = collection;
    this.#layOut(collection, controller.signal).catch((error: unknown) => {
      if (controller.signal.aborted || isAborted(error)) return;
      this.#drawn = undefined;
      this.#status.textContent = explain(error);
    });
  }

  async #layOut(collection: ShelvedCollection, signal: AbortSignal): Promise<void> {
    if (collection.count === 0) {
      this.#clear();
      this.#status.textContent = 'No vectors yet.';
      return;
    }
    this.#status.textContent = `Reading ${counted(Math.min(collection.count, POINTS_MAX), 'vector')}…`;
    await this.#worker.begin(collection.dimension);
    const points = await loadPoints(this.#surroundings.db, collection, {
      signal,
      onVectors: (vectors) => this.#worker.add(vectors),
    });
    if (signal.aborted) return;
    this.#status.textContent = 'Laying them out…';
    let isFirst = true;
    const onPlaces = (places: Float32Array): void => {
      if (signal.aborted) return;
      if (isFirst) this.#take(points);
      isFirst = false;
      // Points that wander are pleasant to some and unbearable to others.
      if (!wantsLessMotion() || this.#places.length === 0) this.#placed(places);
      latest = places;
    };
    let latest: Float32Array = new Float32Array();
    const isWhole = await this.#worker.layOut(proxy(onPlaces));
    if (!isWhole || signal.aborted) return;
    this.#placed(latest);
    const part =
      points.keys.length < collection.count ? `The first ${points.keys.length.toLocaleString('en')} of ` : '';
    this.#status.textContent = `${part}${counted(collection.count, 'vector')}. Near here is near in meaning.`;
  }

  #take(points: Points): void {
    this.#points = points;
    this.#pointByKey = new Map(points.keys.map((key, point) => [String(key), point]));
    const counts = new Map<string, number>();
    for (const group of points.groups) if (group !== '') counts.set(group, (counts.get(group) ?? 0) + 1);
    const named = [...counts].sort((a, b) => b[1] - a[1]).slice(0, GROUPS_MAX);
    const colourOf = new Map(named.map(([group], colour) => [group, colour]));
    this.#colours = Int8Array.from(points.groups, (group) => colourOf.get(group) ?? -1);
    const others = counts.size > named.length ? [make('li', {}, make('i', {}), 'others')] : [];
    find('map-legend').replaceChildren(
      ...named.map(([group], colour) => make('li', {}, make('i', { class: `group-${colour + 1}` }), group)),
      ...others,
    );
    this.#placed(new Float32Array());
  }

  #placed(places: Float32Array): void {
    this.#places = places;
    this.#grid = new PointGrid(places);
    if (places.length === 0) {
      this.#walked = undefined;
      this.#look(undefined);
    }
    this.#relight();
  }

  #relight(): void {
    const lightable = this.#places.length === 0 ? [] : this.#hitKeys;
    // Of a small collection nearly all would be lit, which says nothing.
    const most = Math.max(LIT_MIN, Math.ceil(this.#points.keys.length / LIT_SHARE));
    this.#lit = lightable.flatMap((key) => this.#pointByKey.get(String(key)) ?? []).slice(0, most);
    const lit = this.#lit.length === 0 ? 'No results are marked.' : `${counted(this.#lit.length, 'result')} marked.`;
    this.#surface.setAttribute(
      'aria-label',
      `Map of ${counted(this.#points.keys.length, 'vector')}. ${lit} The list of results says the same in words; arrow keys walk from point to point, Enter searches for more like it.`,
    );
    this.#surface.dataset['points'] = String(this.#places.length / 2);
    this.#surface.dataset['lit'] = String(this.#lit.length);
    this.#redraw();
  }

  #redraw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const size = this.#canvas.clientWidth;
    const context = this.#canvas.getContext('2d');
    if (size === 0 || context === null) return;
    const scale = devicePixelRatio;
    const pixels = Math.round(size * scale);
    if (this.#canvas.width !== pixels) {
      this.#canvas.width = pixels;
      this.#canvas.height = pixels;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#palette ??= readPalette(this.#canvas.parentElement ?? this.#canvas);
    const places = this.#places;
    const colours = places.length === 0 ? new Int8Array() : this.#colours;
    const drawing = { places, colours, lit: this.#lit, looked: this.#looked };
    drawPoints(context, drawing, this.#palette, size);
    drawLit(context, drawing, this.#palette, size);
  }

  /** Rings a point and says its name beside it. */
  #look(point: number | undefined): void {
    if (point === this.#looked) return;
    this.#looked = point;
    this.#label.hidden = point === undefined;
    if (point !== undefined) {
      const rank = this.#lit.indexOf(point);
      const group = this.#points.groups[point];
      this.#label.replaceChildren(
        make('strong', {}, this.#points.titles[point]),
        ...(group === undefined || group === '' ? [] : [make('span', {}, group)]),
        ...(rank < 0 ? [] : [make('span', {}, `result ${rank + 1} of ${this.#lit.length}`)]),
      );
      const x = this.#places[point * 2] as number;
      const y = this.#places[point * 2 + 1] as number;
      const size = this.#canvas.clientWidth;
      this.#label.style.left = `${Math.max(0, Math.min(size - 220, toCanvas(x, size) - 110))}px`;
      this.#label.style.top = y < 0.75 ? `${toCanvas(y, size) + 14}px` : '';
      this.#label.style.bottom = y < 0.75 ? '' : `${size - toCanvas(y, size) + 14}px`;
    }
    this.#redraw();
  }

  #listen(): void {
    const surface = this.#surface;
    surface.tabIndex = 0;
    surface.addEventListener('pointermove', (event) => {
      const size = surface.clientWidth;
      this.#look(this.#grid.nearest(fromCanvas(event.offsetX, size), fromCanvas(event.offsetY, size), REACH));
    });
    surface.addEventListener('pointerleave', () => this.#look(undefined));
    surface.addEventListener('blur', () => {
      this.#walked = undefined;
      this.#look(undefined);
    });
    surface.addEventListener('click', () => this.#choose());
    surface.addEventListener('keydown', (event) => {
      const arrow = ARROWS[event.key];
      if (arrow !== undefined && this.#places.length > 0) {
        const from = this.#walked;
        this.#walked = from === undefined ? (this.#lit[0] ?? 0) : this.#grid.next(from, arrow[0], arrow[1]);
        this.#look(this.#walked);
      } else if (event.key === 'Enter') {
        this.#choose();
      } else if (event.key === 'Escape') {
        this.#look(undefined);
      } else {
        return;
      }
      event.preventDefault();
    });
  }

  #choose(): void {
    const key = this.#looked === undefined ? undefined : this.#points.keys[this.#looked];
    if (key !== undefined) this.#surroundings.onChoose(key);
  }
}
