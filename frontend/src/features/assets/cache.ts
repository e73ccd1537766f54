import { invalidateLists, type CachePart } from '@/shared/graph/cache';

/** A new asset belongs into lists whose order and filters only the server knows. */
export const assetCache: CachePart = {
  updates: {
    Mutation: {
      createAsset: (_result, _args, cache) => {
        invalidateLists(cache, 'assets');
        invalidateLists(cache, 'dashboard');
      },
    },
  },
};
