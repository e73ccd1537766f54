import { graphql, type ResultOf } from '@/shared/graph/tada';

export const dashboardDocument = graphql(`
  query Dashboard($siteId: UUID) {
    dashboard(siteId: $siteId) {
      assetCount
      reportingAssetCount
      assetsInAlarm
      unacknowledgedCount
      activeAlarms {
        severity
        count
      }
      worstAssets {
        id
        code
        name
        activeAlarmCount
        worstSeverity
        lastSeenAt
        site {
          id
          name
        }
        latestPrediction {
          id
          code
          label
          probability
        }
      }
    }
  }
`);

export type Dashboard = ResultOf<typeof dashboardDocument>['dashboard'];
