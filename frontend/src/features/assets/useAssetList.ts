import { useCallback, useState } from 'react';
import { useQuery } from 'urql';
import { useNews } from '@/shared/live/news';
import type { VariablesOf } from '@/shared/graph/tada';
import { assetListDocument } from './documents';

type Variables = VariablesOf<typeof assetListDocument>;
export type AssetFilter = NonNullable<Variables['filter']>;
export type AssetOrder = NonNullable<Variables['orderBy']>;

const PAGE = 100;

/** Assets of a filter in an order, page by page, asked again when alarms change. */
export function useAssetList(filter: AssetFilter, orderBy: AssetOrder) {
  const key = JSON.stringify([filter, orderBy]);
  const [cursor, setCursor] = useState<{ key: string; after: string | null }>({ key, after: null });
  const after = cursor.key === key ? cursor.after : null;
  const [{ data, error, fetching }, ask] = useQuery({
    query: assetListDocument,
    variables: { first: PAGE, after, filter, orderBy },
  });
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  useNews('alarms', again);
  const page = data?.assets;
  const next = page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  const more = useCallback(() => {
    if (next && !fetching) setCursor({ key, after: next });
  }, [next, fetching, key]);
  return { assets: page?.nodes, total: page?.totalCount, error, again, more };
}
