export { AssetDetailPage } from './AssetDetailPage';
export { AssetFormPage } from './AssetFormPage';
export { AssetsPage } from './AssetsPage';
