import type { ProductHit } from './catalog.ts';

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });

export function priceText(cents: number): string {
  return cents === 0 ? 'free' : money.format(cents / 100);
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text?: string,
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Descriptions are Markdown; a card shows their words. */
function plainText(markdown: string, title: string): string {
  const words = markdown
    .replaceAll(/^#+ .*$/gm, '')
    .replaceAll(/[*_#>`]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return words.startsWith(title) ? words.slice(title.length).trim() : words;
}

/** Shows hits as cards; `onMore` is called with the id of the product that more are wanted like. */
export function showResults(list: HTMLElement, hits: readonly ProductHit[], onMore: (hit: ProductHit) => void): void {
  if (hits.length === 0) {
    list.replaceChildren(element('li', 'empty', 'Nothing fits these words and filters. Try fewer filters.'));
    return;
  }
  list.replaceChildren(...hits.map((hit) => card(hit, onMore)));
}

function card(hit: ProductHit, onMore: (hit: ProductHit) => void): HTMLElement {
  const item = element('li', 'card');
  item.dataset['id'] = String(hit.id);
  const meta = element('div', 'meta');
  meta.append(
    element('span', 'price-tag', priceText(hit.price)),
    element('span', '', hit.category),
    element('span', '', `★ ${hit.rating.toFixed(1)}`),
  );
  const foot = element('div', 'foot');
  const meter = element('div', 'meter');
  meter.title = `cosine ${hit.distance.toFixed(3)}`;
  const bar = element('i', '');
  bar.style.width = `${Math.round(Math.max(0, Math.min(1, hit.distance)) * 100)}%`;
  meter.append(bar);
  const more = element('button', '', 'More like this');
  more.type = 'button';
  more.setAttribute('aria-label', `More like ${hit.title}`);
  more.addEventListener('click', () => onMore(hit));
  foot.append(meter, more);
  item.append(element('h3', '', hit.title), meta, element('p', '', plainText(hit.description, hit.title)), foot);
  return item;
}
