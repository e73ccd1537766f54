import type { TadaDocumentNode } from 'gql.tada';
import { createContext, use, useEffect, useEffectEvent } from 'react';
import { print } from '../session/print';
import type { Socket } from './socket';
import { subscribeForGood } from './subscribe';

export const SocketContext = createContext<Socket | null>(null);

/**
 * Streams items past the cache: telemetry and predictions are many and each is looked
 * at once. Pass null as variables to pause.
 */
export function useLive<Result, Variables extends object>(
  document: TadaDocumentNode<Result, Variables>,
  variables: Variables | null,
  onItem: (item: Result) => void,
): void {
  const socket = use(SocketContext);
  const key = variables && JSON.stringify(variables);
  const latest = useEffectEvent(onItem);
  useEffect(() => {
    if (!socket || key === null) return;
    return subscribeForGood(
      socket,
      { query: print(document), variables: JSON.parse(key) as Record<string, unknown> },
      (result) => {
        if (result.data) latest(result.data as Result);
      },
    );
  }, [socket, document, key]);
}
