import { invalidateLists, type CachePart } from '@/shared/graph/cache';
import type { Cache } from '@urql/exchange-graphcache';

const listsChanged = (_result: unknown, _args: unknown, cache: Cache) => invalidateLists(cache, 'alarmRules');

/** Lists of rules are ordered by name and filtered by the server, so they ask again. */
export const ruleCache: CachePart = {
  updates: {
    Mutation: {
      createAlarmRule: listsChanged,
      updateAlarmRule: listsChanged,
      deleteAlarmRule: listsChanged,
      restoreAlarmRule: listsChanged,
    },
  },
};
