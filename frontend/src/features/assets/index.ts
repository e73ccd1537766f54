export { assetCache } from './cache';
export type { AssetDetail } from './documents';
