import { useCallback } from 'react';
import { useQuery } from 'urql';
import { useNews } from '@/shared/live/news';
import { assetDocument } from './documents';

/** One machine with its sensors, asked again when alarms change. */
export function useAsset(id: string) {
  const [{ data, error }, ask] = useQuery({ query: assetDocument, variables: { id } });
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  useNews('alarms', again);
  return { data, asset: data?.asset ?? null, error, again };
}
