import { ANY, BOOL, INT32, INT64, list, MAP, ROWS, STRING, type StructShape, struct } from './request-shape.ts';

/** One path of Milvus's REST API, and the method of the proxy that does what it says. */
export interface Endpoint {
  /** Below `/v2/vectordb/`. */
  readonly path: string;
  readonly method: string;
  readonly shape: StructShape;
  /** Refused with 429 when there is too much to do, as Milvus refuses reads. */
  readonly reads?: boolean;
  /** Whether the answer carries Milvus's `cost`. */
  readonly hasCost?: boolean;
  /** Whether the answer carries an empty `message`, as Milvus's does for want of anything to say. */
  readonly hasMessage?: boolean;
}

const FIELD = struct('FieldSchema', {
  fieldName: STRING,
  dataType: STRING,
  elementDataType: STRING,
  isPrimary: BOOL,
  isPartitionKey: BOOL,
  isClusteringKey: BOOL,
  nullable: BOOL,
  defaultValue: ANY,
  description: STRING,
  elementTypeParams: MAP,
  externalField: STRING,
});

const COLLECTION = struct(
  'CollectionReq',
  {
    dbName: STRING,
    collectionName: STRING,
    dimension: INT32,
    idType: STRING,
    autoID: BOOL,
    metricType: STRING,
    primaryFieldName: STRING,
    vectorFieldName: STRING,
    vectorFieldType: STRING,
    description: STRING,
    consistencyLevel: STRING,
    schema: struct('CollectionSchema', {
      autoID: BOOL,
      enableDynamicField: BOOL,
      fields: list(FIELD),
      structFields: list(MAP),
      functions: list(MAP),
      externalSource: STRING,
      externalSpec: STRING,
    }),
    indexParams: list(
      struct('IndexParam', {
        fieldName: STRING,
        indexName: STRING,
        metricType: STRING,
        indexType: STRING,
        params: MAP,
      }),
    ),
    params: MAP,
    properties: MAP,
  },
  ['collectionName'],
);

const NAMED = struct('CollectionNameReq', { dbName: STRING, collectionName: STRING, partitionNames: list(STRING) }, [
  'collectionName',
]);

const DATA = struct(
  'CollectionDataReq',
  {
    dbName: STRING,
    collectionName: STRING,
    partitionName: STRING,
    data: ROWS,
    partialUpdate: BOOL,
    fieldOps: list(MAP),
  },
  ['collectionName', 'data'],
);

const FILTER_KEYS = {
  dbName: STRING,
  collectionName: STRING,
  partitionName: STRING,
  filter: STRING,
  exprParams: MAP,
  consistencyLevel: STRING,
};

const READ_KEYS = {
  dbName: STRING,
  collectionName: STRING,
  partitionNames: list(STRING),
  outputFields: list(STRING),
  consistencyLevel: STRING,
};

const QUERY = struct(
  'QueryReqV2',
  {
    ...READ_KEYS,
    filter: STRING,
    exprParams: MAP,
    limit: INT32,
    offset: INT32,
    orderByFields: list(STRING),
    groupByFields: list(STRING),
  },
  ['collectionName'],
);

const SEARCH = struct(
  'SearchReqV2',
  {
    ...READ_KEYS,
    data: list(ANY),
    ids: list(ANY),
    annsField: STRING,
    filter: STRING,
    exprParams: MAP,
    limit: INT32,
    offset: INT32,
    groupingField: STRING,
    groupSize: INT32,
    strictGroupSize: BOOL,
    searchParams: MAP,
    functionScore: MAP,
    functionChains: list(ANY),
    searchAggregation: MAP,
    orderByFields: list(STRING),
    guaranteeTimestamp: INT64,
  },
  ['collectionName'],
);

export const ENDPOINTS: readonly Endpoint[] = [
  { path: 'collections/create', method: 'createCollection', shape: COLLECTION },
  { path: 'collections/list', method: 'listCollections', shape: struct('DatabaseReq', { dbName: STRING }) },
  { path: 'collections/has', method: 'hasCollection', shape: NAMED },
  { path: 'collections/describe', method: 'describeCollection', shape: NAMED, hasMessage: true },
  { path: 'collections/drop', method: 'dropCollection', shape: NAMED },
  { path: 'collections/get_stats', method: 'getCollectionStatistics', shape: NAMED },
  { path: 'collections/load', method: 'loadCollection', shape: NAMED },
  { path: 'collections/release', method: 'releaseCollection', shape: NAMED },
  { path: 'collections/get_load_state', method: 'getCollectionLoadState', shape: NAMED, hasMessage: true },
  { path: 'collections/flush', method: 'flush', shape: NAMED },
  { path: 'entities/insert', method: 'insert', shape: DATA, hasCost: true },
  { path: 'entities/upsert', method: 'upsert', shape: DATA, hasCost: true },
  {
    path: 'entities/delete',
    method: 'delete',
    shape: struct('CollectionFilterReq', FILTER_KEYS, ['collectionName', 'filter']),
  },
  {
    path: 'entities/get',
    method: 'get',
    shape: struct('CollectionIDReq', { ...READ_KEYS, id: ANY }, ['collectionName', 'id']),
    reads: true,
    hasCost: true,
  },
  { path: 'entities/query', method: 'query', shape: QUERY, reads: true, hasCost: true },
  { path: 'entities/search', method: 'search', shape: SEARCH, reads: true, hasCost: true },
];

/** What Elanus's own client may send beside Milvus's keys: primary keys to delete, instead of a filter. */
export const CLIENT_DELETE: StructShape = struct('CollectionFilterReq', { ...FILTER_KEYS, ids: list(ANY) }, [
  'collectionName',
]);

/**
 * Paths that Milvus answers and Elanus does not yet. They are refused in Milvus's envelope by a code that says so: to a
 * client of Milvus a bare 404 means that the address is wrong, and sends its user looking in the wrong place.
 */
export const UNSUPPORTED_PATHS: ReadonlySet<string> = new Set([
  ...under(
    'collections',
    'truncate rename refresh_load alter_properties drop_properties compact get_compaction_state fields/add fields/alter_properties fields/drop struct_fields/add add_function alter_function drop_function add_function_field drop_function_field',
  ),
  ...under('entities', 'hybrid_search advanced_search'),
  ...under('partitions', 'list create drop has load release get_stats'),
  ...under('indexes', 'list describe create drop alter_properties drop_properties'),
  ...under('aliases', 'list create alter drop describe'),
  ...under('databases', 'list create drop describe alter alter_properties drop_properties'),
  ...under('users', 'list create describe update_password drop grant_role revoke_role'),
  ...under(
    'roles',
    'list create alter describe drop grant_privilege revoke_privilege grant_privilege_v2 revoke_privilege_v2',
  ),
  ...under('privilege_groups', 'create drop list add_privileges_to_group remove_privileges_from_group'),
  ...under('jobs', 'import/create import/describe import/get_progress import/list import/commit import/abort'),
  ...under('jobs', 'snapshot/describe snapshot/list snapshot/export snapshot/restore_external'),
  ...under('jobs', 'external_collection/refresh external_collection/describe external_collection/list'),
  ...under('resource_groups', 'create drop alter describe list transfer_replica'),
  ...under('segments', 'describe'),
  ...under('quotacenter', 'describe'),
  ...under('file_resources', 'add remove list'),
  ...under('common', 'run_analyzer'),
  ...under('snapshots', 'create drop list describe restore pin unpin'),
]);

function under(category: string, actions: string): string[] {
  return actions.split(' ').map((action) => `${category}/${action}`);
}
