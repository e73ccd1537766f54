import { useMemo, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { createFormat, type Format } from './format';

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => createFormat(i18n.language), [i18n.language]);
}

const TICK = 10_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = Date.now();
    timer = setInterval(tick, TICK);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The present in Unix milliseconds, one clock for the whole page, ten seconds exact. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
