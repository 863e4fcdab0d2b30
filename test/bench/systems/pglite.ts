import { type DataSet, LIMIT } from '../data-set.ts';
import { importPeer } from '../peers.ts';
import { BUILD, type System, secondsOf, views } from '../system.ts';

/** What this bench uses of PGlite. */
interface PGlite {
  exec(sql: string): Promise<unknown>;
  query(sql: string, values: readonly unknown[], options: { rowMode: 'array' }): Promise<{ rows: number[][] }>;
  dumpDataDir(compression: 'none'): Promise<Blob>;
  close(): Promise<void>;
}
interface PGlitePackage {
  readonly PGlite: { create(options: { extensions: Readonly<Record<string, unknown>> }): Promise<PGlite> };
}

const BATCH = 500;

/** PostgreSQL in WebAssembly with pgvector's HNSW; its build time counts the index alone, not the insertion of rows. */
export const PGLITE: System = {
  name: 'PGlite + pgvector',
  isSlow: true,
  knobs: [10, 15, 24, 38, 60, 94, 148, 231, 361],
  async build(set) {
    const { PGlite } = await importPeer<PGlitePackage>('@electric-sql/pglite', 'dist/index.js');
    const { vector } = await importPeer<{ vector: unknown }>('@electric-sql/pglite-pgvector', 'dist/index.js');
    const database = await PGlite.create({ extensions: { vector } });
    await insertRows(database, set);
    const buildSeconds = await secondsOf(() =>
      database.exec(
        `SET maintenance_work_mem = '1GB';
         CREATE INDEX ON vectors USING hnsw (embedding vector_${set.metric === 'COSINE' ? 'cosine' : 'l2'}_ops)
         WITH (m = ${BUILD.M}, ef_construction = ${BUILD.efConstruction});`,
      ),
    );
    const nearest = `SELECT id FROM vectors ORDER BY embedding ${set.metric === 'COSINE' ? '<=>' : '<->'} $1 LIMIT ${LIMIT}`;
    const queries = views(set.queries, set.dimension);
    const search = async (query: number) => {
      const { rows } = await database.query(nearest, [`[${queries[query]!.join()}]`], { rowMode: 'array' });
      return rows.map(([id]) => id!);
    };
    return {
      async answers(ef) {
        await database.exec(`SET hnsw.ef_search = ${ef}`);
        const answers = new Int32Array(set.queryCount * LIMIT).fill(-1);
        for (let query = 0; query < set.queryCount; query++) answers.set(await search(query), query * LIMIT);
        return answers;
      },
      async time(ef, count, repetitions) {
        await database.exec(`SET hnsw.ef_search = ${ef}`);
        return secondsOf(async () => {
          for (let at = 0; at < count * repetitions; at++) await search(at % count);
        });
      },
      buildSeconds,
      memoryBytes: undefined,
      save: async () => ({ bytes: (await database.dumpDataDir('none')).size, remove: async () => {} }),
      free: () => database.close(),
    };
  },
};

async function insertRows(database: PGlite, { rows, dimension, size }: DataSet): Promise<void> {
  await database.exec(`CREATE EXTENSION vector; CREATE TABLE vectors (id int, embedding vector(${dimension}));`);
  const all = views(rows, dimension);
  for (let first = 0; first < size; first += BATCH) {
    const values = all.slice(first, first + BATCH).map((row, at) => `(${first + at},'[${row.join()}]')`);
    await database.exec(`INSERT INTO vectors VALUES ${values.join()}`);
  }
}
