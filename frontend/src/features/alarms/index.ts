export { AlarmStreamProvider, useActiveAlarms, useAlarmCounts, useAlarmNews } from './AlarmStream';
export { alarmCache } from './cache';
