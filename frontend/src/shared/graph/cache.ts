import {
  cacheExchange,
  type Cache,
  type CacheExchangeOpts,
  type KeyingConfig,
  type Resolver,
} from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';

/** What a feature adds to the cache: how its mutations and events change what is shown. */
export type CachePart = Pick<CacheExchangeOpts, 'updates' | 'optimistic'>;

/** Types that have no identity of their own and live inside their parent. */
const embedded = [
  'Viewer',
  'Session',
  'Dashboard',
  'SeverityCount',
  'SystemStatus',
  'SystemPart',
  'Reading',
  'ReadingValue',
  'SeriesSet',
  'Series',
  'FaultProbability',
  'AlarmTransition',
  'AlarmItem',
  'Explanation',
  'FeatureContribution',
  'UserError',
  'Metric',
  'AlarmEventPayload',
  'AlarmRulePayload',
  'AssetPayload',
  'SubmitFeedbackPayload',
];

const keys: KeyingConfig = Object.fromEntries(embedded.map((name) => [name, () => null]));

/** Joins pages as relayPagination does, and keeps the total of the newest of them. */
const pages = relayPagination();
const connection: Resolver = (parent, args, cache, info) => {
  const page = pages(parent, args, cache, info) as object | undefined;
  if (!page) return undefined;
  const link = cache.resolve(info.parentKey, info.fieldName, args);
  const totalCount = typeof link === 'string' ? cache.resolve(link, 'totalCount') : undefined;
  return { ...page, totalCount };
};

/** Makes every list of the field ask again when it is next shown. */
export function invalidateLists(cache: Cache, field: string): void {
  for (const { fieldName, arguments: args } of cache.inspectFields('Query')) {
    if (fieldName === field) cache.invalidate('Query', fieldName, args);
  }
}

export function createCache(parts: CachePart[]) {
  const updates: NonNullable<CacheExchangeOpts['updates']> = {};
  for (const part of parts) {
    for (const [type, fields] of Object.entries(part.updates ?? {})) {
      updates[type] = { ...updates[type], ...fields };
    }
  }
  return cacheExchange({
    keys,
    resolvers: {
      Query: { assets: connection, alarmEvents: connection, alarmRules: connection, predictions: connection },
    },
    updates,
    optimistic: Object.fromEntries(parts.flatMap((part) => Object.entries(part.optimistic ?? {}))),
  });
}
