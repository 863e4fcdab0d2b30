import { isEmpty, readKey, unsupported } from './reject.ts';

/** Every row lies in this partition as long as there is no other. */
const DEFAULT_PARTITION = '_default';

type IsHarmless = (value: unknown) => boolean;

const nothing: IsHarmless = () => false;
const one: IsHarmless = (value) => value === 1;
const thePartition: IsHarmless = (value) => value === DEFAULT_PARTITION;
const thePartitions: IsHarmless = (value) => Array.isArray(value) && value.every(thePartition);

const READ_KEYS: Readonly<Record<string, IsHarmless>> = { partitionNames: thePartitions };
const SEARCH_KEYS: Readonly<Record<string, IsHarmless>> = {
  ...READ_KEYS,
  groupingField: nothing,
  groupSize: one,
  strictGroupSize: nothing,
  functionScore: nothing,
  functionChains: nothing,
  searchAggregation: nothing,
  orderByFields: nothing,
  groupByFields: nothing,
};

/**
 * What Milvus defines for each method and Elanus does not do yet, with the values beside the empty ones that ask for
 * nothing. A key that is done leaves the table.
 */
const LATER: ReadonlyMap<string, Readonly<Record<string, IsHarmless>>> = new Map([
  ['insert', { partitionName: thePartition }],
  ['upsert', { partitionName: thePartition, partialUpdate: nothing, fieldOps: nothing }],
  ['delete', { partitionName: thePartition, partitionNames: thePartitions }],
  ['get', READ_KEYS],
  ['query', { ...READ_KEYS, orderByFields: nothing, groupByFields: nothing }],
  ['count', { ...READ_KEYS, groupByFields: nothing }],
  ['search', { ...SEARCH_KEYS, ids: nothing }],
  ['hybridSearch', SEARCH_KEYS],
  ['getCollectionStatistics', { partitionNames: thePartitions }],
  ['getCollectionLoadState', { partitionNames: thePartitions }],
]);

/**
 * Rejects with `unsupported`, naming the key, if a body asks for what Elanus does not do yet. Keys with an empty or
 * default value pass, as clients send them; so do keys that Milvus does not know. A create call has its own table.
 */
export function refuseUnsupported(body: Readonly<Record<string, unknown>>, method: string): void {
  for (const [key, isHarmless] of Object.entries(LATER.get(method) ?? {})) {
    const value = readKey(body, key);
    if (!isEmpty(value) && !isHarmless(value)) throw unsupported(key, `leave it out of ${method}`);
  }
}
