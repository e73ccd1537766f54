export { AlarmsPage } from './AlarmsPage';
export { AlarmFeed } from './AlarmFeed';
export { AssetAlarms, useAssetAlarms } from './AssetAlarms';
