export { AssetPredictions } from './AssetPredictions';
export { LatestAbnormal } from './LatestAbnormal';
