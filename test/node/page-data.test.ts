import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BUILT_PAGE,
  type DemoBrowser,
  give,
  importWhole,
  showImported,
  startDemoBrowser,
  titles,
  typed,
  untilReady,
} from './demo-page.ts';
import { type PageServer, serveFolders } from './page-server.ts';

/**
 * A module of the shape of Transformers.js, for there is no network here: its model counts the letters of a text, so
 * that texts of the same letters are near.
 */
const LETTER_MODEL = `
  export const env = {};
  export async function pipeline(task, model, { progress_callback }) {
    progress_callback({ status: 'progress', file: 'model.onnx', loaded: 1, total: 2 });
    return async (texts) => {
      const data = new Float32Array(texts.length * 26);
      texts.forEach((text, row) => {
        for (const letter of text.toLowerCase()) {
          const at = letter.charCodeAt(0) - 97;
          if (at >= 0 && at < 26) data[row * 26 + at] += 1;
        }
      });
      return { dims: [texts.length, 26], data };
    };
  }`;

let folder: string;
let server: PageServer;
let browser: DemoBrowser;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'elanus-module-'));
  await writeFile(join(folder, 'letters.js'), LETTER_MODEL);
  server = await serveFolders(BUILT_PAGE, folder);
  browser = await startDemoBrowser();
  page = await browser.open(server.origin);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const FILMS = [
  { id: 'a1', title: 'Deep water', genre: 'horror', year: 1975, plot: 'A shark hunts swimmers off an island beach.' },
  { id: 'a2', title: 'Strings', genre: 'drama', year: 2014, plot: 'A young drummer and a merciless music teacher.' },
  { id: 'a3', title: 'Toys', genre: 'family', year: 1995, plot: 'Toys come alive when no child is in the room.' },
  { id: 'a4', title: 'The heist', genre: 'drama', year: 1995, plot: 'Robbers and the policeman who follows them.' },
  {
    id: 'a5',
    title: 'Balloons',
    genre: 'family',
    year: 2009,
    plot: 'An old man flies his house away, "quoted", with balloons.',
  },
  { id: 'a6', title: 'Ice', genre: 'horror', year: 1982, plot: 'Something thaws at a station in the Antarctic.' },
];

function csvOf(rows: readonly Record<string, unknown>[]): string {
  const line = (values: readonly unknown[]): string =>
    values.map((value) => `"${String(value).replaceAll('"', '""')}"`).join(',');
  return [line(Object.keys(rows[0] ?? {})), ...rows.map((row) => line(Object.values(row)))].join('\n');
}

const FORMATS = [
  { name: 'films.csv', text: csvOf(FILMS) },
  { name: 'films.json', text: JSON.stringify(FILMS, undefined, 2) },
  { name: 'films.jsonl', text: FILMS.map((film) => JSON.stringify(film)).join('\n') },
];

/** Exports what is shown, and gives the rows of the file. */
async function exported(): Promise<{
  readonly name: string;
  readonly text: string;
  readonly rows: Record<string, unknown>[];
}> {
  await page.click('#export-open');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#export button[type=submit]')]);
  const text = await readFile(await download.path(), 'utf8');
  await page.getByRole('button', { name: 'Done' }).click();
  const rows = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { name: download.suggestedFilename(), text, rows };
}

describe('a file of one’s own', () => {
  test.each(FORMATS)('$name is guessed right, searched and filtered', async (file) => {
    await give(page, file);
    expect(await page.inputValue('#import-text-column')).toBe('plot');
    expect(await page.inputValue('#import-title-column')).toBe('title');
    expect(await page.textContent('.summary')).toMatch(/^6 rows of 5 columns.*The key is “id”/);
    expect(await page.locator('.preview td').first().textContent()).toBe('a1');
    await page.click('#import button[type=submit].primary');
    await page.getByRole('button', { name: 'Search it' }).click({ timeout: 30_000 });
    await expect.poll(() => page.locator('#shelf [aria-pressed=true]').textContent()).toBe(`${file.name}6`);
    expect((await typed(page, 'balloon house'))[0]).toBe('Balloons');
    await page.locator('#filters select').selectOption('horror');
    await expect.poll(async () => (await titles(page)).sort()).toEqual(['Deep water', 'Ice']);
    await page.getByLabel('year, at least').fill('1980');
    await expect.poll(() => titles(page)).toEqual(['Ice']);
  });

  test('exported with vectors, and imported again, the rows are the same; so is what a search finds', async () => {
    await page.locator('#shelf [data-name=films]').click();
    const found = await typed(page, 'music drummer');
    const first = await exported();
    expect(first.name).toBe('films.jsonl');
    const plain = first.rows.map(({ vector, ...row }) => ({ ...row, dimensions: (vector as number[]).length }));
    expect(plain).toEqual(FILMS.map((film) => ({ ...film, dimensions: 256 })));
    await importWhole(page, { name: 'again.jsonl', text: first.text });
    expect(await typed(page, 'music drummer')).toEqual(found);
    const again = await exported();
    expect(again.rows).toEqual(first.rows);
  });

  test('a bad file says the line, and nothing of it is stored', async () => {
    await page.click('#import-open');
    const before = await page.locator('#shelf li').count();
    const bad = `${csvOf(FILMS)}\n"a7","Too short"\n`;
    await page.setInputFiles('#import-file', { name: 'bad.csv', mimeType: 'text/csv', buffer: Buffer.from(bad) });
    const problem = page.locator('#import .problem');
    await expect
      .poll(() => problem.textContent())
      .toBe('bad.csv: Line 8: 2 values, but the first line names 5 columns (id, title, genre, year, plot).');
    await page.keyboard.press('Escape');
    expect(await page.locator('#shelf li').count()).toBe(before);
  });

  test('a model from elsewhere is loaded after a yes to its addresses alone; its failure is told, and the choice stays', async () => {
    await give(page, { name: 'model.csv', text: csvOf(FILMS) });
    await page.check('input[value=transformers]');
    const missing = `${server.origin}/no-such-module.js`;
    await page.fill('#module-url', missing);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.click('#import button[type=submit].primary');
    await expect
      .poll(() => page.locator('#agree li').allTextContents())
      .toEqual([missing, 'https://huggingface.co/Xenova/all-MiniLM-L6-v2']);
    await page.getByRole('button', { name: 'No', exact: true }).click();
    await expect.poll(() => page.locator('#import button[type=submit].primary').isEnabled()).toBe(true);
    expect(asked).toEqual([]);
    await page.click('#import button[type=submit].primary');
    await page.getByRole('button', { name: 'Load it' }).click();
    await expect
      .poll(() => page.locator('#import .problem').textContent())
      .toMatch(/could not be loaded from .*no-such-module.*own embedder works without a network/);
    await page.keyboard.press('Escape');
    expect(await page.locator('#shelf [data-name=model]').count()).toBe(0);
  });

  test('with a model from elsewhere its rows are embedded and searched; after a reload it is loaded again when it is wanted', async () => {
    const file = { name: 'letters.csv', text: csvOf(FILMS) };
    await give(page, file);
    await page.check('input[value=transformers]');
    await page.fill('#module-url', `${server.origin}/letters.js`);
    await page.fill('#model-name', 'letters');
    await page.click('#import button[type=submit].primary');
    await page.getByRole('button', { name: 'Load it' }).click();
    await showImported(page, file);
    const plot = FILMS[3]?.plot ?? '';
    expect((await typed(page, plot.split('').reverse().join('')))[0]).toBe('The heist');
    await page.reload();
    await untilReady(page);
    await page.fill('#query', plot);
    await expect.poll(() => page.textContent('#notice')).toMatch(/was embedded with letters\. .*has to be loaded/);
    await page.getByRole('button', { name: 'Load letters' }).click();
    await page.getByRole('button', { name: 'Load it' }).click();
    await expect.poll(async () => (await titles(page))[0]).toBe('The heist');
    expect(await page.locator('#notice').isHidden()).toBe(true);
  });
});

describe('a long import', () => {
  const many = {
    name: 'many.csv',
    text: csvOf(
      Array.from({ length: 6000 }, (_, at) => ({
        word: `word${at % 97}`,
        text: `Text ${at} about ${at % 13} things and guitar ${at}`,
      })),
    ),
  };

  test('shows its progress, stops when it is told to, and what is there can be kept', async () => {
    await give(page, many);
    await page.click('#import button[type=submit].primary');
    await expect.poll(() => page.textContent('#import-rows'), { timeout: 20_000 }).not.toBe('0');
    expect(await page.textContent('#import-rate')).toMatch(/rows a second|Making/);
    await page.click('#import-stop');
    await expect.poll(() => page.textContent('#import-heading')).toBe('Stopped');
    const told = /^([\d,]+) of 6,000 rows are stored/.exec(
      (await page.locator('#import [role=status]').textContent()) ?? '',
    );
    const stored = Number(told?.[1]?.replaceAll(',', ''));
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(6000);
    await page.getByRole('button', { name: 'Keep them' }).click();
    // A batch that was on its way when the stop came may be there as well.
    await expect
      .poll(async () => Number((await page.textContent('#shelf [data-name=many] .count'))?.replaceAll(',', '')))
      .toBeGreaterThanOrEqual(stored);
    await page.click('#delete-open');
    await page.getByRole('button', { name: 'Delete it' }).click();
    await expect.poll(() => page.locator('#shelf [data-name=many]').count()).toBe(0);
    expect(await page.locator('#shelf [aria-pressed=true]').getAttribute('data-name')).toBe('products');
  });

  test('thrown away, nothing is left', async () => {
    await give(page, many);
    await page.click('#import button[type=submit].primary');
    await expect.poll(() => page.textContent('#import-rows'), { timeout: 20_000 }).not.toBe('0');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Throw them away' }).click();
    await page.locator('#import').waitFor({ state: 'hidden' });
    await expect.poll(() => page.locator('#shelf [data-name=many]').count()).toBe(0);
  });
});

describe('a second tab', () => {
  test('shows at once what the first one imports, and says which tab runs the engine', async () => {
    const second = await browser.open(server.origin);
    await expect.poll(() => page.textContent('#role')).toBe('runs the engine');
    await expect.poll(() => second.textContent('#role')).toBe('engine in another tab');
    await importWhole(page, { name: 'shared.csv', text: csvOf(FILMS) });
    await second.locator('#shelf [data-name=shared]').click();
    expect((await typed(second, 'balloon house'))[0]).toBe('Balloons');
    // More rows of the collection that the second tab shows come from the first, deleted and made anew.
    await page.click('#delete-open');
    await page.getByRole('button', { name: 'Delete it' }).click();
    await expect.poll(() => second.locator('#shelf [aria-pressed=true]').getAttribute('data-name')).toBe('products');
    // When the leader closes, the other goes on.
    await page.close();
    await expect.poll(() => second.textContent('#role'), { timeout: 20_000 }).toBe('runs the engine');
    expect((await typed(second, 'dinosaur'))[0]).toMatch(/dino|rex|saur/i);
    page = second;
  });

  test('what was imported is there after a reload, under its own address', async () => {
    await page.locator('#shelf [data-name=films]').click();
    await page.reload();
    await untilReady(page);
    expect(new URL(page.url()).hash).toBe('#films');
    await expect.poll(async () => (await titles(page)).length).toBe(6);
    expect(browser.problems).toEqual([]);
  });
});
