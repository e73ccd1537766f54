import { useEffect, useMemo, useState } from 'react';
import type { ResultOf, VariablesOf } from '@/shared/graph/tada';
import { useOnResumed } from '@/shared/live/react';
import { useLive } from '@/shared/live/useLive';
import { useSession } from '@/shared/session/react';
import { seriesDocument, telemetryDocument, telemetrySubscription } from './documents';
import { rowsOf } from './rows';
import { Source } from './source';
import { isLive, stepOf } from './spans';

/** Rows kept per sensor: an hour at one reading a second. */
const CAPACITY = 3600;
/** Parameters of one question for a series at most. */
const PARAMETERS = 32;
/** How often a long span is asked for again, in milliseconds. */
const AGAIN_EVERY = 60_000;
/** Pages of history asked for at most, 100 readings each. */
const PAGES = 12;

export type History = 'loading' | 'ready' | 'failed';

/**
 * Readings of a machine for some parameters: the last `seconds` of history, then live.
 * A span too long for that is shown as averages, and asked for again every minute.
 */
export function useSource(assetId: string, parameters: string[], seconds: number) {
  const session = useSession();
  const key = parameters.join(' ');
  const live = isLive(seconds);
  const step = stepOf(seconds);
  const source = useMemo(
    () => new Source(key === '' ? [] : key.split(' '), CAPACITY),
    // Another machine, or averages in place of readings, are another source even where
    // the parameters are the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [key, assetId, step],
  );
  const [tries, setTries] = useState(0);
  const [history, setHistory] = useState<History>('loading');
  const again = () => setTries((count) => count + 1);
  const scope = useMemo(() => ({ assetId }), [assetId]);

  useEffect(() => {
    if (source.parameters.length === 0) return;
    const abort = new AbortController();
    const from = new Date(Date.now() - seconds * 1000).toISOString();
    const loadSeries = async () => {
      const { series }: ResultOf<typeof seriesDocument> = await session.ask(seriesDocument, {
        scope,
        from,
        to: new Date().toISOString(),
        parameters: source.parameters.slice(0, PARAMETERS),
      });
      if (abort.signal.aborted) return;
      source.put(rowsOf(series.series));
      setHistory('ready');
    };
    const load = async () => {
      let after: string | null = null;
      for (let page = 0; page < PAGES; page++) {
        const variables: VariablesOf<typeof telemetryDocument> = {
          scope,
          from,
          after,
          parameters: [...source.parameters],
        };
        const { telemetry }: ResultOf<typeof telemetryDocument> = await session.ask(
          telemetryDocument,
          variables,
        );
        if (abort.signal.aborted) return;
        source.put(telemetry.nodes);
        setHistory('ready');
        after = telemetry.pageInfo.endCursor;
        if (!telemetry.pageInfo.hasNextPage || !after) return;
      }
    };
    // eslint-disable-next-line react-hooks/set-state-in-effect -- a new view begins without its history
    setHistory('loading');
    (live ? load() : loadSeries()).catch(() => {
      if (!abort.signal.aborted) setHistory('failed');
    });
    return () => abort.abort();
  }, [source, session, scope, seconds, live, tries]);

  useEffect(() => {
    if (live) return;
    const timer = setInterval(() => setTries((count) => count + 1), AGAIN_EVERY);
    return () => clearInterval(timer);
  }, [live]);

  useOnResumed(again);
  useLive(
    telemetrySubscription,
    !live || source.parameters.length === 0 ? null : { scope, parameters: [...source.parameters] },
    ({ telemetry: item }) => {
      if (item.reading) source.put([item.reading]);
      if (item.resync) again();
    },
  );
  return { source, history, again };
}
