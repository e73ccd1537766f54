import { useCallback, useEffect, useState } from 'react';
import type { VariablesOf } from '@/shared/graph/tada';
import { useOnResumed } from '@/shared/live/react';
import { useLive } from '@/shared/live/useLive';
import { useSession } from '@/shared/session/react';
import { predictionListDocument, predictionsSubscription, type Prediction } from './documents';

/** How many are kept, so that a page left open for days stays small. */
const CAPACITY = 100;

type Scope = VariablesOf<typeof predictionListDocument>['scope'];

interface State {
  /** What the list is of; another scope begins anew. */
  of: string;
  items: Prediction[] | null;
  failed: boolean;
}

/** The newest predictions of a scope, the newest first: history once, then as they are made. */
export function usePredictions(scope: Scope, onlyAbnormal: boolean) {
  const session = useSession();
  const of = JSON.stringify([scope ?? {}, onlyAbnormal]);
  const [state, setState] = useState<State>({ of, items: null, failed: false });
  const put = useCallback(
    (news: Prediction[]) =>
      setState((before) => ({
        of,
        failed: false,
        items: merge(before.of === of ? (before.items ?? []) : [], news),
      })),
    [of],
  );
  const load = useCallback(async () => {
    const [asked, abnormal] = JSON.parse(of) as [NonNullable<Scope>, boolean];
    try {
      const data = await session.ask(predictionListDocument, {
        first: 50,
        scope: asked,
        filter: abnormal ? { onlyAbnormal: true } : {},
      });
      put(data.predictions.nodes);
    } catch {
      setState((before) => ({ of, items: before.of === of ? before.items : null, failed: true }));
    }
  }, [session, of, put]);
  useEffect(() => {
    // State is set only when the answer is there.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    void load();
  }, [load]);
  useOnResumed(() => void load());
  useLive(predictionsSubscription, { scope, onlyAbnormal }, ({ predictions: item }) => {
    if (item.prediction) put([item.prediction]);
    if (item.resync) void load();
  });
  const current = state.of === of ? state : { items: null, failed: false };
  return { predictions: current.items, failed: current.failed, again: () => void load() };
}

/** Joins by id, the newest first. */
export function merge(before: Prediction[], news: Prediction[]): Prediction[] {
  const all = new Map([...news, ...before].map((one) => [one.id, one]));
  for (const one of news) all.set(one.id, one);
  return [...all.values()].sort((a, b) => b.timestamp.localeCompare(a.timestamp)).slice(0, CAPACITY);
}
