import { make } from '../page/elements.ts';

/** A named part of a whole. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly text: string;
}

/** Parts beside each other, each as long as its share of `whole`. */
export function barList(bars: readonly Bar[], whole: number): HTMLDListElement {
  return make(
    'dl',
    { class: 'bars' },
    ...bars.map(({ name, value, text }) => {
      const bar = make('i');
      bar.style.width = `${whole <= 0 ? 0 : Math.max(0, Math.min(100, (100 * value) / whole))}%`;
      return make(
        'div',
        {},
        make('dt', {}, name),
        make('dd', {}, make('span', { class: 'bar', 'aria-hidden': 'true' }, bar), make('span', {}, text)),
      );
    }),
  );
}
