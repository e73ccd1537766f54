import { AlarmFeed } from '@/features/alarms/AlarmFeed';
import { OverviewPage } from '@/features/overview/pages';
import { LatestAbnormal } from '@/features/predictions/LatestAbnormal';

/** The overview, put together from the features that know something about the fleet. */
export function Overview() {
  return (
    <OverviewPage
      alarms={(siteId) => <AlarmFeed siteId={siteId} />}
      predictions={(siteId) => <LatestAbnormal siteId={siteId} />}
    />
  );
}
