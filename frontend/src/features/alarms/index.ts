export { AlarmStreamProvider, useActiveAlarms, useAlarmCounts } from './AlarmStream';
export { alarmCache } from './cache';
