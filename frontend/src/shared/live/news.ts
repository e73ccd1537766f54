import { useEffect, useEffectEvent } from 'react';
import { throttle } from './throttle';

/** Kinds of change that lists of other features depend on. */
export type Topic = 'alarms';

const listeners = new Map<Topic, Set<() => void>>();

/** How often a list asks again at most while changes pour in, in ms. */
const CALM = 1_500;

/** Says that something of the kind has changed on the server. */
export function publish(topic: Topic): void {
  for (const listener of listeners.get(topic) ?? []) listener();
}

/** Calls back when something of the kind has changed, not more often than a list should ask again. */
export function useNews(topic: Topic, callback: () => void): void {
  const latest = useEffectEvent(callback);
  useEffect(() => {
    const calm = throttle(() => latest(), CALM);
    const all = listeners.get(topic) ?? new Set();
    listeners.set(topic, all.add(calm));
    return () => {
      all.delete(calm);
      calm.cancel();
    };
  }, [topic]);
}
