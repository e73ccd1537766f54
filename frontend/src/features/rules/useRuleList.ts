import { useCallback, useState } from 'react';
import { useQuery } from 'urql';
import type { VariablesOf } from '@/shared/graph/tada';
import { ruleListDocument } from './documents';

export type RuleFilter = NonNullable<VariablesOf<typeof ruleListDocument>['filter']>;

const PAGE = 100;

/** Rules of a filter by name, page by page. */
export function useRuleList(filter: RuleFilter) {
  const key = JSON.stringify(filter);
  const [cursor, setCursor] = useState<{ key: string; after: string | null }>({ key, after: null });
  const after = cursor.key === key ? cursor.after : null;
  const [{ data, error, fetching }, ask] = useQuery({
    query: ruleListDocument,
    variables: { first: PAGE, after, filter },
  });
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  const page = data?.alarmRules;
  const next = page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  const more = useCallback(() => {
    if (next && !fetching) setCursor({ key, after: next });
  }, [next, fetching, key]);
  return { rules: page?.nodes, total: page?.totalCount, error, again, more };
}
