import { isMetric, type Metric } from './metric.ts';
import { checkIndexName } from './names.ts';
import { badRequest, invalid, isEmpty, isRecord, missingKey, readKey, show, toInteger, unsupported } from './reject.ts';
import { type Field, type IndexMeta, isVector } from './schema.ts';

/** Index types of float vectors. An exact scan is a valid answer for each, and serves them all for now. */
const VECTOR_INDEXES: ReadonlySet<string> = new Set([
  'AUTOINDEX',
  'FLAT',
  'HNSW',
  'HNSW_SQ',
  'HNSW_PQ',
  'HNSW_PRQ',
  'IVF_FLAT',
  'IVF_SQ8',
  'IVF_PQ',
  'IVF_RABITQ',
  'SCANN',
  'DISKANN',
]);
const GPU_INDEXES: ReadonlySet<string> = new Set(['GPU_BRUTE_FORCE', 'GPU_IVF_FLAT', 'GPU_IVF_PQ', 'GPU_CAGRA']);
/** Index types of other vectors and of scalars. */
const OTHER_INDEXES: ReadonlySet<string> = new Set([
  'BIN_FLAT',
  'BIN_IVF_FLAT',
  'MINHASH_LSH',
  'SPARSE_INVERTED_INDEX',
  'SPARSE_WAND',
  'INVERTED',
  'STL_SORT',
  'Trie',
  'BITMAP',
  'HYBRID',
  'NGRAM',
  'RTREE',
]);
const OTHER_METRICS: ReadonlySet<string> = new Set([
  'HAMMING',
  'JACCARD',
  'TANIMOTO',
  'SUBSTRUCTURE',
  'SUPERSTRUCTURE',
  'MHJACCARD',
]);
/** Ranges that Milvus checks when an index is created. */
const PARAM_RANGES: Readonly<Record<string, readonly [number, number]>> = {
  M: [2, 2048],
  efConstruction: [1, 2_147_483_647],
  nlist: [1, 65_536],
  nbits: [1, 24],
  m: [1, 65_536],
};

/** The metric of an index on a float vector, COSINE if none is named. */
export function readMetric(value: unknown): Metric {
  if (value === undefined || value === null || value === '') return 'COSINE';
  if (isMetric(value)) return value;
  if (value === 'BM25') throw invalid('only BM25 Function output field support BM25 metric type');
  if (typeof value === 'string' && (OTHER_METRICS.has(value) || !value.startsWith('MAX_SIM'))) {
    throw invalid(`float vector index does not support metric type: ${value}`, { details: { field: 'metricType' } });
  }
  if (typeof value === 'string') throw unsupported(`metricType ${value}`, 'use L2, IP or COSINE');
  throw badRequest('metricType must be a string', { field: 'metricType' });
}

/** The entries of `indexParams`, checked: one index a vector field, under names that differ. */
export function draftIndexes(input: unknown, fields: readonly Field[]): IndexMeta[] {
  if (input === undefined || input === null) return [];
  if (!Array.isArray(input)) throw badRequest('indexParams must be a list', { field: 'indexParams' });
  const indexes: IndexMeta[] = [];
  for (const entry of input as readonly unknown[]) {
    const index = draftIndex(entry, fields);
    const same = indexes.find((other) => other.fieldName === index.fieldName);
    if (same === undefined) {
      if (indexes.some((other) => other.indexName === index.indexName)) {
        throw invalid(`CreateIndex failed: the index name ${index.indexName} is taken by another field`, {
          details: { field: index.fieldName },
        });
      }
      indexes.push(index);
    } else if (JSON.stringify(same) !== JSON.stringify(index)) {
      throw invalid('at most one distinct index is allowed per field', { details: { field: index.fieldName } });
    }
  }
  return indexes;
}

function draftIndex(input: unknown, fields: readonly Field[]): IndexMeta {
  if (!isRecord(input)) throw badRequest(`indexParams must hold objects, got ${show(input)}`);
  const fieldName = readKey(input, 'fieldName');
  if (typeof fieldName !== 'string' || fieldName === '') throw missingKey('IndexParam', 'fieldName');
  const field = fields.find((candidate) => candidate.name === fieldName);
  if (field === undefined) {
    throw invalid(`missing required parameters, error: \`${fieldName}\` hasn't defined in schema`, {
      milvusCode: 1802,
      details: { field: fieldName },
    });
  }
  const params = indexParams(readKey(input, 'params'), fieldName);
  const given = readKey(input, 'indexType');
  const indexType = checkIndexType(isEmpty(given) ? params.get('index_type') : given, field);
  const metric = readKey(input, 'metricType');
  const metricType = readMetric(isEmpty(metric) ? params.get('metric_type') : metric);
  params.delete('index_type');
  params.delete('metric_type');
  if (indexType === 'AUTOINDEX' && params.size > 0) {
    throw invalid('only metric type can be passed when use AutoIndex', { details: { field: fieldName } });
  }
  return {
    indexName: checkIndexName(readKey(input, 'indexName'), fieldName),
    fieldName,
    indexType,
    metricType,
    params: Object.fromEntries(params),
  };
}

function checkIndexType(value: unknown, field: Field): string {
  const details = { field: field.name };
  const type = isEmpty(value) ? 'AUTOINDEX' : value;
  if (typeof type !== 'string') throw badRequest('indexType must be a string', details);
  if (!VECTOR_INDEXES.has(type) && !GPU_INDEXES.has(type) && !OTHER_INDEXES.has(type)) {
    throw invalid(`invalid parameter[expected=valid index][actual=invalid index type: ${type}]`, { details });
  }
  if (!isVector(field)) throw unsupported(`an index on the scalar field ${field.name}`, 'filters work without one');
  if (GPU_INDEXES.has(type)) throw unsupported(`indexType ${type}`, 'use AUTOINDEX, FLAT or HNSW');
  if (VECTOR_INDEXES.has(type)) return type;
  throw invalid(`data type ${field.type} can't build with this index ${type}`, { details });
}

function indexParams(input: unknown, fieldName: string): Map<string, string | number | boolean> {
  const details = { field: fieldName };
  if (input === undefined || input === null) return new Map();
  if (!isRecord(input)) throw badRequest(`params of the index on ${fieldName} must be an object`, details);
  const params = new Map<string, string | number | boolean>();
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isFinite(value)) {
      throw invalid(`index param ${key} must be a string, a number or a boolean`, { details });
    }
    const range = Object.hasOwn(PARAM_RANGES, key) ? PARAM_RANGES[key] : undefined;
    const number = toInteger(value);
    if (range !== undefined && (number === undefined || number < range[0] || number > range[1])) {
      throw invalid(
        `Out of range in json: param '${key}' (${show(value)}) should be in range [${range[0]}, ${range[1]}]`,
        {
          details,
        },
      );
    }
    params.set(key, value as string | number | boolean);
  }
  return params;
}
