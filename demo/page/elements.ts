type Value = string | number | boolean | undefined | ((event: Event) => void);
type Child = Node | string | undefined;

/** The element of the page with this id. */
export function find<Type extends HTMLElement>(id: string): Type {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element #${id}.`);
  return found as Type;
}

/**
 * Makes an element. Attributes that are false or undefined are left out, true ones are empty; a function named `on…`
 * listens to that event.
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A labelled list of facts. */
export function factList(facts: readonly (readonly [term: string, text: string])[]): HTMLDListElement {
  return make(
    'dl',
    { class: 'facts' },
    ...facts.flatMap(([term, text]) => [make('dt', {}, term), make('dd', {}, text)]),
  );
}
