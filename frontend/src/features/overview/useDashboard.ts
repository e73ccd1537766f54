import { useCallback, useEffect } from 'react';
import { useQuery } from 'urql';
import { useNews } from '@/shared/live/news';
import { dashboardDocument } from './documents';

/** Whether a machine reports changes by mere time, which no event tells. */
const EVERY = 60_000;

/** The fleet, or one site, at a glance; asked again when alarms change and once a minute. */
export function useDashboard(siteId: string | null) {
  const [{ data, error }, ask] = useQuery({ query: dashboardDocument, variables: { siteId } });
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  useNews('alarms', again);
  useEffect(() => {
    const timer = setInterval(again, EVERY);
    return () => clearInterval(timer);
  }, [again]);
  return { dashboard: data?.dashboard, error, again };
}
