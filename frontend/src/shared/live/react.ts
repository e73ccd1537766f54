import { createContext, use, useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import type { Connection, LinkState } from './connection';

export const ConnectionContext = createContext<Connection | null>(null);

function useConnection(): Connection {
  const connection = use(ConnectionContext);
  if (!connection) throw new Error('no connection provider');
  return connection;
}

export function useLink(): LinkState {
  const connection = useConnection();
  return useSyncExternalStore(connection.subscribe, connection.getState);
}

/** Calls back when live data flows again after a loss. */
export function useOnResumed(callback: () => void): void {
  const connection = useConnection();
  const latest = useEffectEvent(callback);
  useEffect(() => connection.onResumed(() => latest()), [connection]);
}
