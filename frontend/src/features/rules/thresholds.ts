import { useMemo } from 'react';
import type { Rule } from './documents';
import { useRuleList } from './useRuleList';

/** A machine, as far as the scope of a rule looks at it. */
export interface Watched {
  id: string;
  type: string;
  site: { id: string };
  sensors: { id: string }[];
}

/** Reports whether the rule watches the machine or one of its sensors. */
export function watches(rule: Rule, asset: Watched): boolean {
  if (rule.sensor) return asset.sensors.some((sensor) => sensor.id === rule.sensor?.id);
  if (rule.asset) return rule.asset.id === asset.id;
  if (rule.assetType && rule.assetType !== asset.type) return false;
  return !rule.site || rule.site.id === asset.site.id;
}

export interface Threshold {
  name: string;
  value: number;
}

const active = { isActive: true };

/** The limits that active rules set on a machine, by parameter. */
export function useThresholds(asset: Watched): ReadonlyMap<string, Threshold[]> {
  const { rules } = useRuleList(active);
  return useMemo(() => {
    const found = new Map<string, Threshold[]>();
    for (const rule of rules ?? []) {
      if (!watches(rule, asset)) continue;
      const limits = found.get(rule.parameter) ?? [];
      limits.push({ name: rule.name, value: rule.threshold });
      found.set(rule.parameter, limits);
    }
    return found;
  }, [rules, asset]);
}
