import { faultTypes, makeReading, parameters, sites, type Asset, type Severity } from '../plant';
import type { World } from '../world';
import { page, type PageArgs } from './paging';

const ranks: Severity[] = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];

interface AssetFilterArgs {
  search?: string;
  types?: string[];
  criticalities?: string[];
  siteId?: string;
  hasActiveAlarm?: boolean;
}

interface AlarmFilterArgs {
  statuses?: string[];
  activeOnly?: boolean;
  severities?: string[];
  siteId?: string;
  assetId?: string;
}

function withAlarms(world: World, asset: Asset) {
  const own = world.active().filter((alarm) => alarm.asset.id === asset.id);
  const worst = Math.max(-1, ...own.map((alarm) => ranks.indexOf(alarm.severity)));
  return {
    ...asset,
    activeAlarmCount: own.length,
    worstSeverity: ranks[worst] ?? null,
    latestPrediction: world.predictionsMade.find((one) => one.assetId === asset.id) ?? null,
  };
}

/** What the queries of the schema say about the world. */
export function queries(world: World) {
  const find = (id: string) => {
    const asset = world.assets.find((one) => one.id === id);
    return asset ? withAlarms(world, asset) : null;
  };
  return {
    node: ({ id }: { id: string }) =>
      world.alarms.find((one) => one.id === id) ??
      world.rules.find((one) => one.id === id && !one.deleted) ??
      find(id),
    systemStatus: () => ({ state: world.down.length > 0 ? 'DEGRADED' : 'UP', parts: [...world.down] }),
    parameters: () => page(parameters),
    faultTypes: () => page(faultTypes),
    sites: () => page(sites),
    asset: ({ id }: { id: string }) => find(id),
    assets: ({
      filter,
      orderBy,
      ...args
    }: PageArgs & { filter?: AssetFilterArgs; orderBy?: { field: string; direction: string } }) => {
      const found = world.assets
        .map((asset) => withAlarms(world, asset))
        .filter(
          (asset) =>
            (!filter?.search ||
              `${asset.code} ${asset.name}`.toLowerCase().includes(filter.search.toLowerCase())) &&
            (!filter?.types || filter.types.includes(asset.type)) &&
            (!filter?.criticalities || filter.criticalities.includes(asset.criticality)) &&
            (!filter?.siteId || asset.site.id === filter.siteId) &&
            (filter?.hasActiveAlarm === undefined || asset.activeAlarmCount > 0 === filter.hasActiveAlarm),
        );
      const rank = (asset: (typeof found)[number]) => ranks.indexOf(asset.worstSeverity as Severity);
      if (orderBy?.field === 'NAME') found.sort((a, b) => a.name.localeCompare(b.name));
      if (orderBy?.field === 'ALARMS') found.sort((a, b) => rank(a) - rank(b));
      if (orderBy?.direction === 'DESC') found.reverse();
      return page(found, args);
    },
    dashboard: ({ siteId }: { siteId?: string | null }) => {
      const mine = world.assets.filter((asset) => !siteId || asset.site.id === siteId);
      const active = world.active().filter((alarm) => !siteId || alarm.site.id === siteId);
      const alarmed = mine.map((asset) => withAlarms(world, asset)).filter((asset) => asset.worstSeverity);
      return {
        assetCount: mine.length,
        reportingAssetCount: mine.length - 1,
        assetsInAlarm: alarmed.length,
        unacknowledgedCount: active.filter((one) => one.status === 'OPEN' || one.status === 'CLEARED').length,
        activeAlarms: [...ranks].reverse().map((severity) => ({
          severity,
          count: active.filter((one) => one.severity === severity).length,
        })),
        worstAssets: alarmed
          .sort((a, b) => ranks.indexOf(b.worstSeverity!) - ranks.indexOf(a.worstSeverity!))
          .slice(0, 10),
        latestAbnormal: [],
      };
    },
    alarmEvents: ({ filter, ...args }: PageArgs & { filter?: AlarmFilterArgs }) =>
      page(
        world.alarms.filter(
          (one) =>
            (!filter?.statuses || filter.statuses.includes(one.status)) &&
            (!filter?.activeOnly || one.status !== 'RESOLVED') &&
            (!filter?.severities || filter.severities.includes(one.severity)) &&
            (!filter?.siteId || one.site.id === filter.siteId) &&
            (!filter?.assetId || one.asset.id === filter.assetId),
        ),
        args,
      ),
    alarmRules: ({ filter, ...args }: PageArgs & { filter?: { search?: string; isActive?: boolean } }) =>
      page(
        world.rules.filter(
          (one) =>
            !one.deleted &&
            (!filter?.search || one.name.toLowerCase().includes(filter.search.toLowerCase())) &&
            (filter?.isActive === undefined || one.isActive === filter.isActive),
        ),
        args,
      ),
    predictions: ({ scope, filter }: { scope?: { assetId?: string }; filter?: { onlyAbnormal?: boolean } }) =>
      page(
        world.predictionsMade.filter(
          (one) =>
            (!scope?.assetId || one.assetId === scope.assetId) &&
            (!filter?.onlyAbnormal || one.code !== 'normal'),
        ),
      ),
    telemetry: ({ scope, after }: { scope: { assetId?: string }; after?: string }) => {
      const asset = world.assets.find((one) => one.id === scope.assetId)!;
      const end = after ? Number(after) : Math.floor(Date.now() / 1000);
      const nodes = Array.from({ length: 100 }, (_, back) => makeReading(asset, end - back));
      return {
        nodes,
        pageInfo: { hasNextPage: true, hasPreviousPage: false, endCursor: String(end - 100) },
      };
    },
  };
}
