import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './package-fixture.ts';

/** The only block of the README that is fenced as `kind`. Throws if there are none or several. */
export function readmeBlock(kind: string): string {
  const blocks = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^```([^\n]+)\n([\s\S]*?)^```$/gm)];
  const [block, ...others] = blocks.filter((match) => match[1] === kind);
  if (block === undefined || others.length > 0) throw new Error(`README.md must have one block \`${kind}\`.`);
  return block[2] ?? '';
}
