import type { Info } from 'elanus/browser';
import { find } from './elements.ts';

/** Says beside the page's name whether the engine runs in this tab or in another one that is open. */
export function showRole({ tab }: Info): void {
  const badge = find('role');
  badge.hidden = tab === undefined;
  if (tab === undefined) return;
  badge.textContent = tab.leads ? 'runs the engine' : 'engine in another tab';
  badge.title = tab.leads
    ? `This tab (${tab.id}) leads: its engine also serves other tabs.`
    : `Tab ${tab.leader} leads; this one (${tab.id}) reaches its engine by ${linkText(tab.link)}. If that tab closes, one of the others takes over.`;
}

/** How a tab reaches the engine, in words. */
export function linkText(link: NonNullable<Info['tab']>['link']): string {
  return { own: 'itself', ports: 'a message port', broadcast: 'a BroadcastChannel' }[link];
}
