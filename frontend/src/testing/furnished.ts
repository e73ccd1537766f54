import { makeAlarm, makeRule, type Asset } from './plant';
import { World } from './world';

/** A world with a few alarms and rules in it. */
export function furnishedWorld(schemaText: string, assetCount = 12): World {
  const world = new World(schemaText, assetCount);
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const [pump, motor, fan] = world.assets as [Asset, Asset, Asset];
  world.rules = [
    makeRule(),
    makeRule({ name: 'Any fault', parameter: 'confidence', threshold: 0.6, severity: 'MEDIUM' }),
  ];
  world.alarms = [
    makeAlarm(pump, { severity: 'CRITICAL', triggeredAt: minutesAgo(4) }),
    makeAlarm(motor, {
      severity: 'MEDIUM',
      status: 'ACKNOWLEDGED',
      triggeredAt: minutesAgo(40),
      faultCode: null,
      faultLabel: null,
      prediction: null,
      ruleName: 'High vibration',
      parameter: 'vibration_rms',
      triggeredValue: 7.42,
    }),
    makeAlarm(fan, { severity: 'LOW', status: 'CLEARED', triggeredAt: minutesAgo(190) }),
  ];
  return world;
}
