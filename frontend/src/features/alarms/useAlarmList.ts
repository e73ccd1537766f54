import { useCallback, useState } from 'react';
import { useQuery } from 'urql';
import { useNews } from '@/shared/live/news';
import type { VariablesOf } from '@/shared/graph/tada';
import { alarmListDocument } from './documents';

export type AlarmFilter = NonNullable<VariablesOf<typeof alarmListDocument>['filter']>;

const PAGE = 100;

/** Alarms of a filter, page by page, kept up to date by the stream. */
export function useAlarmList(filter: AlarmFilter) {
  const key = JSON.stringify(filter);
  const [cursor, setCursor] = useState<{ key: string; after: string | null }>({ key, after: null });
  const after = cursor.key === key ? cursor.after : null;
  const [{ data, error, fetching, stale }] = useQuery({
    query: alarmListDocument,
    variables: { first: PAGE, after, filter },
  });
  const [, refresh] = useQuery({
    query: alarmListDocument,
    variables: { first: PAGE, after: null, filter },
    requestPolicy: 'cache-only',
  });
  const again = useCallback(() => refresh({ requestPolicy: 'network-only' }), [refresh]);
  useNews('alarms', again);
  const page = data?.alarmEvents;
  const next = page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  const more = useCallback(() => {
    if (next && !fetching) setCursor({ key, after: next });
  }, [next, fetching, key]);
  return { alarms: page?.nodes, total: page?.totalCount, error, busy: fetching || stale, again, more };
}
