import { makeAsset, sites, type Asset } from '../plant';
import type { World } from '../world';
import { edit, need, type Args } from './change';

/** What people do with assets. */
export function assetMutations(world: World) {
  return {
    createAsset: ({ input }: Args) => {
      need(world, 'plant:write');
      const userErrors = world.blame('createAsset');
      if (userErrors.length > 0) return { asset: null, userErrors };
      const asset = {
        ...makeAsset(0),
        sensors: [],
        ...input,
        id: `asset-${input.code as string}`,
      } as Asset;
      asset.site = sites.find((one) => one.id === input.siteId)!;
      world.assets.push(asset);
      return { asset, userErrors };
    },
    updateAsset: ({ input }: Args) => {
      need(world, 'plant:write');
      const asset = world.assets.find((one) => one.id === input.id)!;
      const userErrors = edit(asset, input);
      return { asset: userErrors.length > 0 ? null : asset, userErrors };
    },
  };
}
