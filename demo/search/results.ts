import type { Hit } from 'elanus/browser';
import type { CollectionProfile, ShownField } from '../collections/profile.ts';
import { make } from '../page/elements.ts';
import { priceText } from '../page/words.ts';

/** What a person can do with a result. */
export interface ResultActions {
  /** Search for what is like this one. */
  onMore(hit: Hit): void;
  /** A result is looked at (pointed to, or focused), or no longer: the map shows where it is. */
  onLook(key: unknown): void;
}

/** Shows hits as cards. */
export function showResults(
  list: HTMLElement,
  hits: readonly Hit[],
  profile: CollectionProfile,
  actions: ResultActions,
): void {
  if (hits.length === 0) {
    list.replaceChildren(make('li', { class: 'empty' }, 'Nothing fits these words and filters. Try fewer filters.'));
    return;
  }
  const focused = document.activeElement?.closest<HTMLElement>('.card')?.dataset['key'];
  list.replaceChildren(...hits.map((hit) => card(hit, profile, actions)));
  // A card that is there again keeps the focus.
  if (focused !== undefined) list.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"] button`)?.focus();
}

function card(hit: Hit, profile: CollectionProfile, actions: ResultActions): HTMLElement {
  const key = hit[profile.key];
  const title = titleOf(hit, profile);
  const item = make('li', { class: 'card', 'data-key': String(key) });
  for (const event of ['pointerenter', 'focusin']) item.addEventListener(event, () => actions.onLook(key));
  for (const event of ['pointerleave', 'focusout']) item.addEventListener(event, () => actions.onLook(undefined));
  const meta = profile.shown.flatMap((field) => shownValue(field, hit[field.field]) ?? []);
  const text = profile.text === profile.title ? '' : plainText(String(hit[profile.text] ?? ''), title);
  item.append(
    make('h3', {}, title),
    ...(meta.length === 0 ? [] : [make('div', { class: 'meta' }, ...meta)]),
    ...(text === '' ? [] : [make('p', {}, text)]),
    make(
      'div',
      { class: 'foot' },
      nearness(hit.distance),
      make(
        'button',
        {
          type: 'button',
          class: 'small',
          'aria-label': `More like this: ${title}`,
          onclick: () => actions.onMore(hit),
        },
        'More like this',
      ),
    ),
  );
  return item;
}

/** How near a hit is; nothing for a row that was not searched for. */
function nearness(cosine: number): HTMLElement {
  if (Number.isNaN(cosine)) return make('span');
  const bar = make('i');
  bar.style.width = `${Math.round(Math.max(0, Math.min(1, cosine)) * 100)}%`;
  return make(
    'span',
    { class: 'nearness', title: `cosine ${cosine.toFixed(3)}` },
    make('span', { class: 'meter', 'aria-hidden': 'true' }, bar),
    make('span', { class: 'visually-hidden' }, 'cosine '),
    cosine.toFixed(2),
  );
}

/** What a row is called: its title, else the beginning of its text, else its key. */
export function titleOf(row: Readonly<Record<string, unknown>>, profile: CollectionProfile): string {
  const title = String(row[profile.title] ?? '').trim() || String(row[profile.text] ?? '').trim();
  return title === '' ? String(row[profile.key]) : title;
}

function shownValue({ label, as }: ShownField, value: unknown): HTMLElement | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  switch (as) {
    case 'price':
      return make('span', { class: 'price-tag' }, priceText(Number(value)));
    case 'stars':
      return make('span', {}, `★ ${Number(value).toFixed(1)}`);
    case 'tag':
      return make('span', {}, String(value));
    case 'plain': {
      const text = plainValue(value);
      const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
      return make('span', {}, make('span', { class: 'field' }, `${label} `), short);
    }
  }
}

function plainValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toFixed(4))) : String(value);
}

/** Descriptions may be Markdown; a card shows their words. */
function plainText(markdown: string, title: string): string {
  const words = markdown
    .slice(0, 1200)
    .replaceAll(/^#+ .*$/gm, '')
    .replaceAll(/[*_#>`]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return words.startsWith(title) ? words.slice(title.length).trim() : words;
}
