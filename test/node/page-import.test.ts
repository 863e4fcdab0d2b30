import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ElanusError } from '../../core/base/error.ts';
import { encodeJsonLines } from '../../demo/export/json-lines.ts';
import { fieldNames } from '../../demo/import/columns.ts';
import { collectionNameOf, planImport } from '../../demo/import/plan.ts';
import { RowReader } from '../../demo/import/row-reader.ts';
import { formatOf, readRows } from '../../demo/import/rows.ts';
import { type FileFacts, guessText, guessTitle, scanFile } from '../../demo/import/scan.ts';

async function rowsOf(text: string | Uint8Array<ArrayBuffer>, name: string): Promise<Record<string, unknown>[]> {
  const file = new Blob([text]);
  const rows: Record<string, unknown>[] = [];
  for await (const piece of readRows(file, await formatOf(file, name)))
    rows.push(...piece.rows.map(({ values }) => values));
  return rows;
}

function scan(text: string, name: string): Promise<FileFacts> {
  return scanFile(new Blob([text]), name);
}

/** The message of the error that a file is refused with. */
async function refusal(text: string | Uint8Array<ArrayBuffer>, name: string): Promise<string> {
  try {
    await scanFile(new Blob([text]), name);
  } catch (error) {
    expect((error as ElanusError).code).toBe('invalid');
    return (error as Error).message;
  }
  return 'was read';
}

/** Any text that a cell may hold; a lone half of a pair is no UTF-8. */
const cell = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.toWellFormed());
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

describe('rows of a file', () => {
  it('CSV: any cells come back, quoted, whatever the delimiter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 }),
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('\n', '\r\n'),
        async (rows, delimiter, end) => {
          const lines = [['a', 'b', 'c'], ...rows].map((row) => row.map(quoted).join(delimiter));
          const read = await rowsOf(lines.join(end), 'x.csv');
          expect(read).toEqual(rows.map(([a, b, c]) => ({ a, b, c })));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('JSON list, JSON lines: any objects come back, however they are spaced', async () => {
    const row = fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), fc.jsonValue(), { minKeys: 1, maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 15 }), fc.nat(3), async (rows, spaces) => {
        const plain = JSON.parse(JSON.stringify(rows)) as Record<string, unknown>[];
        expect(await rowsOf(JSON.stringify(plain, undefined, spaces), 'x.json')).toEqual(plain);
        expect(await rowsOf(plain.map((one) => JSON.stringify(one)).join('\n'), 'x.jsonl')).toEqual(plain);
      }),
      { numRuns: 150 },
    );
  });

  it('a file of several megabytes is read in pieces: rows, quotes and letters may lie across them', async () => {
    const text = 'Ünïcode, "quoted"\nand over lines 🪁 ';
    const values = Array.from({ length: 12_000 }, (_, id) => ({ id, text: text.repeat(1 + (id % 11)) }));
    const csv = `id,text\n${values.map(({ id, text }) => `${id},${quoted(text)}`).join('\n')}\n`;
    expect(new Blob([csv]).size).toBeGreaterThan(2.5e6);
    expect(await rowsOf(csv, 'x.csv')).toEqual(values.map(({ id, text }) => ({ id: String(id), text })));
    expect(await rowsOf(JSON.stringify(values), 'x.json')).toEqual(values);
    expect(await rowsOf(values.map((value) => JSON.stringify(value)).join('\r\n'), 'x.ndjson')).toEqual(values);
  });

  it('a byte order mark and blank lines are no rows', async () => {
    expect(await rowsOf('\uFEFFa,b\n\n1,2\n\n', 'x.csv')).toEqual([{ a: '1', b: '2' }]);
    expect(await rowsOf('\uFEFF\n{"a":1}\n\n', 'x.jsonl')).toEqual([{ a: 1 }]);
  });
});

describe('a bad file', () => {
  const long = 'x'.repeat(40);
  const cases: [name: string, text: string | Uint8Array<ArrayBuffer>, said: RegExp][] = [
    ['empty.csv', '', /^The file is empty/],
    ['blank.csv', ' \n ', /nothing but blanks/],
    ['picture.png', new Uint8Array([137, 80, 78, 71, 0, 1]), /not a text file/],
    ['latin.csv', new Uint8Array([97, 10, 0xfc, 0x62, 10]), /^Line 1: the text is not UTF-8/],
    ['short.csv', 'a,b\n1,2\n\n"x\ny",3\n4\n', /^Line 6: 1 value, but the first line names 2 columns \(a, b\)/],
    ['twice.csv', 'a,a\n1,2\n', /^Line 1: two columns are named "a"/],
    ['open.csv', `a,b\n1,2\n3,"${long}\n5,6\n`, /^Line 3: a quote \("\) opens here and is not closed/],
    ['stray.csv', 'a,b\n"x"y,2\n', /^Line 2: a quoted value goes on/],
    ['head.csv', 'a,b\n', /^The file has no rows/],
    ['numbers.csv', 'a,b\n1,2\n', /^No column holds text/],
    ['list.json', '[\n {"a": "x"},\n {"a": }\n]', /^Line 3: this is not valid JSON/],
    ['comma.json', '[{"a":"x"}\n\n {"a":"y"}]', /^Line 3: "\{" stands where after an object comes a comma/],
    ['end.json', '[{"a":"x"},\n{"a":"y"}', /^Line 2: the file ends before its list does/],
    ['more.json', '[{"a":"x"}] 1', /^Line 1: "1" stands where nothing may follow/],
    ['scalars.json', '[1, 2]', /^Line 1: "1" stands where the list holds objects/],
    ['word.json', 'hello', /^Line 1: A JSON file begins with \[/],
    ['one.jsonl', '{"a":"x"}\n{"a":"y"}\n{"a":', /^Line 3: this is not valid JSON/],
    ['pretty.json', '{\n  "a": "x"\n}', /^Line 1: .*expected one JSON object a line/],
    ['list.jsonl', '{"a":"x"}\n[1]\n', /^Line 2: expected one JSON object a line/],
  ];
  it.each(cases)('%s is refused, with the line', async (name, text, said) => {
    expect(await refusal(text, name)).toMatch(said);
  });
});

describe('columns', () => {
  it('kinds follow from all rows, also the last', async () => {
    const facts = await scan(
      'id,n,f,yes,zip,mixed,word,gone\n1,10,0.5,true,007,1,aa,\n2,,1e3,FALSE,12,x,bb,\n3,-3,2,true,13,2,aa,\n4,1,2,true,1,2,aa,\n',
      'x.csv',
    );
    const kinds = Object.fromEntries(facts.columns.map(({ name, kind }) => [name, kind]));
    expect(kinds).toEqual({
      id: 'integer',
      n: 'integer',
      f: 'number',
      yes: 'boolean',
      zip: 'text',
      mixed: 'text',
      word: 'text',
      gone: 'empty',
    });
    const [id, n, , , , , word] = facts.columns;
    expect(id?.isKey).toBe(true);
    expect(n).toMatchObject({ least: -3, most: 10, missing: 1, isKey: false });
    expect(word?.choices).toEqual(['aa', 'bb']);
  });

  it('JSON says itself what is a text; vectors are lists of one length', async () => {
    const facts = await scan(
      '{"id":"1","v":[1,2],"w":[1,2],"o":{"a":1}}\n{"id":"2","v":[3,4.5],"w":[1],"o":null,"late":7}\n',
      'x.jsonl',
    );
    expect(facts.columns.map(({ name, kind, missing }) => [name, kind, missing])).toEqual([
      ['id', 'text', 0],
      ['v', 'vector', 0],
      ['w', 'json', 0],
      ['o', 'json', 1],
      ['late', 'integer', 1],
    ]);
  });

  it('counts the whole numbers that JSON may have rounded; as texts they stay exact', async () => {
    const exact = '{"a":9007199254740991,"t":"9007199254740993"}';
    expect((await scan(exact, 'x.jsonl')).roundedNumbers).toBe(0);
    expect((await scan(`${exact}\n{"a":9007199254740993,"t":"x"}`, 'x.jsonl')).roundedNumbers).toBe(1);
    expect(await rowsOf('a,t\n9007199254740993,x\n', 'x.csv')).toEqual([{ a: '9007199254740993', t: 'x' }]);
    expect((await scan('a,t\n9007199254740993,x\n', 'x.csv')).columns[0]?.kind).toBe('text');
  });

  it('a key has every value once; a second one of the same makes it none', async () => {
    expect((await scan('id,t\n1,a\n2,b\n1,c\n', 'x.csv')).columns[0]?.isKey).toBe(false);
    expect((await scan('id,t\n1,a\n,b\n3,c\n', 'x.csv')).columns[0]?.isKey).toBe(false);
  });

  it('names of fields are what a schema takes, and no two are the same', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 10 }), { maxLength: 30 }), (columns) => {
        const names = fieldNames(columns);
        expect(new Set(names).size).toBe(columns.length);
        for (const name of names) expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
      }),
    );
    expect(fieldNames(['Release Year', 'vector', 'and', 'Größe', '2nd', '日本'])).toEqual([
      'Release_Year',
      'vector_',
      'and_',
      'Gro_e',
      '_2nd',
      'column_6',
    ]);
  });

  it('guesses the text that is searched and the title', async () => {
    const facts = await scan(
      'id,title,genre,plot\n1,Alien,horror,In space no one hears you\n2,Heat,crime,Cops and robbers of Los Angeles\n3,Up,crime,An old man flies away with balloons\n4,Jaws,horror,A shark\n',
      'films.csv',
    );
    expect(guessText(facts.columns)?.name).toBe('plot');
    expect(guessTitle(facts.columns, 'plot')?.name).toBe('title');
  });

  it('the name of a file becomes that of a collection', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(collectionNameOf(name)).toMatch(/^[A-Za-z][A-Za-z0-9_]*$/);
      }),
    );
    expect(collectionNameOf('My Films (2024).csv')).toBe('my_films_2024');
  });
});

describe('a plan', () => {
  const choices = { text: 'text', title: 'name', kept: ['year', 'tags', 'ok'], embedder: { kind: 'own' } } as const;
  const lines = [
    { name: 'a', text: 'first', year: 1990, tags: ['x'], ok: true, unused: 'u' },
    { name: 'b', text: null, year: null, tags: null, ok: false, unused: 'v' },
    { name: 'c', text: 'third', year: 2001, tags: { deep: [1] }, ok: true, unused: 'w' },
    { name: 'd', text: '', year: 2000, tags: [], ok: true, unused: 'w' },
  ];
  const file = new Blob([lines.map((line) => JSON.stringify(line)).join('\n')]);

  it('rows go into fields of their kind; what is missing is null, the text to embed is a text', async () => {
    const facts = await scanFile(file, 'x.jsonl');
    const plan = planImport(facts, choices, { dimension: 4, model: 'm' }, ['x']);
    expect(plan.collectionName).toBe('x_2');
    expect(
      plan.body.schema?.fields?.map(({ fieldName, dataType, nullable }) => [fieldName, dataType, nullable]),
    ).toEqual([
      ['row', 'Int64', undefined],
      ['name', 'VarChar', undefined],
      ['text', 'VarChar', undefined],
      ['year', 'Int64', true],
      ['tags', 'JSON', true],
      ['ok', 'Bool', undefined],
      ['vector', 'FloatVector', undefined],
    ]);
    expect(plan.profile.facets).toEqual([
      { kind: 'range', field: 'year', label: 'year', least: 1990, most: 2001 },
      { kind: 'yes-no', field: 'ok', label: 'ok' },
    ]);
    const reader = new RowReader(file, { format: facts.format, columns: plan.columns, rowNumber: plan.rowNumber });
    expect((await reader.next(3))?.rows).toEqual([
      { row: 1, name: 'a', text: 'first', year: 1990, tags: ['x'], ok: true },
      { row: 2, name: 'b', text: '', year: null, tags: null, ok: false },
      { row: 3, name: 'c', text: 'third', year: 2001, tags: { deep: [1] }, ok: true },
    ]);
    expect((await reader.next(3))?.rows.length).toBe(1);
    expect(await reader.next(3)).toBeUndefined();
  });

  it('what is exported is imported as the same rows, vectors to the last bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            name: fc.string({ minLength: 1 }).map((text) => text.toWellFormed()),
            text: fc.string().map((text) => text.toWellFormed()),
            score: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
            count: fc.maxSafeInteger(),
            vector: fc.float32Array({ minLength: 3, maxLength: 3, noNaN: true, noDefaultInfinity: true }),
          }),
          { minLength: 1, maxLength: 10 },
        ),
        async (values) => {
          const rows = values.map((value, at) => ({ row: at + 1, ...value }));
          const exported = new Blob([encodeJsonLines(rows) as Uint8Array<ArrayBuffer>]);
          const facts = await scanFile(exported, 'x.jsonl');
          const kept = ['score', 'count'];
          const plan = planImport(
            facts,
            { ...choices, kept, vectors: 'vector' },
            { dimension: 3, model: undefined },
            [],
          );
          expect(plan.profile.key).toBe('row');
          const reader = new RowReader(exported, { ...plan, format: facts.format });
          const again = (await reader.next(100))?.rows.map((row) => ({ score: null, ...row }));
          // JSON has one zero.
          const plain = rows.map((row) => ({
            ...row,
            score: row.score === 0 ? 0 : row.score,
            count: row.count + 0,
            vector: row.vector.map((entry) => (entry === 0 ? 0 : entry)),
          }));
          expect(again).toEqual(plain);
        },
      ),
      { numRuns: 100 },
    );
  });
});
