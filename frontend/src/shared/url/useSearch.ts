import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';

export interface Search {
  get: (name: string) => string | null;
  /** Values of a list, written as `name=a,b`. */
  list: (name: string) => string[];
  /** Changes some values; null and empty lists are removed. Other values stay. */
  set: (changes: Record<string, string | string[] | null>) => void;
  text: string;
}

/** The state of a page that its address holds, so that a link shows the same. */
export function useSearch(): Search {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (changes: Record<string, string | string[] | null>) => {
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes)) {
            const text = Array.isArray(value) ? value.join(',') : value;
            if (text) next.set(name, text);
            else next.delete(name);
          }
          return next;
        },
        { replace: true },
      );
    },
    [setParams],
  );
  return useMemo(
    () => ({
      get: (name) => params.get(name),
      list: (name) => params.get(name)?.split(',').filter(Boolean) ?? [],
      set,
      text: params.toString(),
    }),
    [params, set],
  );
}
