import type { Alarm } from '../plant';
import type { World } from '../world';
import { need, type Args, type Input } from './change';
import { viewer } from './session';

/** What people do with alarms. */
export function alarmMutations(world: World) {
  const onAlarm =
    (field: string, act: (alarm: Alarm, input: Input) => void) =>
    ({ input }: Args) => {
      need(world, 'alarms:acknowledge');
      const errors = world.blame(field);
      const alarm = world.alarms.find((one) => one.id === input.id);
      if (errors.length > 0 || !alarm) return { alarm: null, userErrors: errors };
      act(alarm, input);
      world.change(alarm);
      return { alarm: { ...alarm }, userErrors: [] };
    };
  const step = (alarm: Alarm, to: Alarm['status'], note: string | null) => {
    const seq = alarm.transitions.length + 1;
    const at = new Date().toISOString();
    alarm.transitions = [
      ...alarm.transitions,
      { seq, from: alarm.status, to, note, at, by: viewer(world).user },
    ];
    alarm.status = to;
  };
  return {
    acknowledgeAlarm: onAlarm('acknowledgeAlarm', (alarm) => {
      alarm.acknowledgedAt = new Date().toISOString();
      step(alarm, alarm.status === 'CLEARED' ? 'RESOLVED' : 'ACKNOWLEDGED', null);
    }),
    resolveAlarm: onAlarm('resolveAlarm', (alarm, input) => {
      alarm.correctionPlan = input.correctionPlan;
      alarm.resolvedAt = new Date().toISOString();
      step(alarm, 'RESOLVED', String(input.correctionPlan));
    }),
  };
}
