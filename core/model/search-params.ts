import type { Metric } from './metric.ts';
import { badRequest, invalid, isEmpty, isRecord, show, unsupported } from './reject.ts';

/** How hard an index looks. An exact scan finds what the hardest look would, so they are checked and change nothing. */
const EFFORT_KEYS = [
  'nprobe',
  'ef',
  'search_list',
  'level',
  'drop_ratio_search',
  'reorder_k',
  'refine_k',
  'rbq_query_bits',
  'max_empty_result_buckets',
  'itopk_size',
  'search_width',
  'min_iterations',
  'max_iterations',
  'team_size',
] as const;
/** What changes the answer and is not done yet, with the texts that ask for nothing. */
const LATER_KEYS: Readonly<Record<string, readonly string[]>> = {
  radius: [],
  range_filter: [],
  group_by_field: [],
  group_by_fields: [],
  group_size: ['1'],
  strict_group_size: ['false'],
  order_by_fields: [],
  ignore_growing: ['false'],
  ignoreGrowing: ['false'],
  offset: [],
  round_decimal: ['-1'],
  iterator: ['false', 'False'],
  search_iter_v2: ['false', 'False'],
  analyzer_name: [],
};
/** A radius of 0 bounds the answer: it is not nothing. */
const ZERO_COUNTS: ReadonlySet<string> = new Set(['radius', 'range_filter']);

/** Checks `searchParams` of a search by `metric`: flat, or nested in `params`, or both if they do not differ. */
export function checkSearchParams(input: unknown, metric: Metric): void {
  const params = flatten(input);
  const given = params.get('metric_type');
  if (!isEmpty(given) && given !== metric) {
    throw invalid('metric type not match', { expected: metric, actual: given, details: { field: 'metric_type' } });
  }
  for (const [key, harmless] of Object.entries(LATER_KEYS)) {
    const value = params.get(key);
    const says = !isEmpty(value) || (ZERO_COUNTS.has(key) && (value === 0 || value === 0n));
    if (says && !harmless.includes(show(value))) throw unsupported(`searchParams.${key}`);
  }
  const hints = params.get('hints');
  if (!isEmpty(hints) && hints !== 'iterative_filter' && hints !== 'disable') {
    throw invalid(`invalid hints: ${show(hints)}`, { details: { field: 'hints' } });
  }
  for (const key of EFFORT_KEYS) checkEffort(key, params.get(key));
}

function checkEffort(key: string, value: unknown): void {
  if (value === undefined || value === null || value === '') return;
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value;
  const isNumber = typeof number === 'number' && Number.isFinite(number) && number >= 0;
  if (isNumber && (key !== 'level' || (number >= 1 && number <= 10))) return;
  const right = key === 'level' ? 'an integer from 1 to 10' : 'a number from 0 on';
  throw invalid(`search param ${key} must be ${right}, got ${show(value)}`, { details: { field: key } });
}

function flatten(input: unknown): ReadonlyMap<string, unknown> {
  if (input === undefined || input === null) return new Map();
  if (!isRecord(input)) throw badRequest('searchParams must be an object', { field: 'searchParams' });
  const params = new Map(Object.entries(input));
  const nested = params.get('params');
  params.delete('params');
  if (nested === undefined || nested === null) return params;
  if (!isRecord(nested)) throw invalid('searchParams.params must be a dict', { details: { field: 'params' } });
  for (const [key, value] of Object.entries(nested)) {
    const flat = params.get(key);
    if (params.has(key) && show(flat) !== show(value)) {
      throw invalid(
        `ambiguous parameter: ${key}, in search_param: ${show(flat)}, in search_param.params: ${show(value)}`,
        {
          details: { field: key },
        },
      );
    }
    params.set(key, value);
  }
  return params;
}
