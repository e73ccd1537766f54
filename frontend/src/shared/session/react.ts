import { createContext, use, useSyncExternalStore } from 'react';
import type { Session, SessionState, Viewer } from './session';

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error('no session provider');
  return session;
}

export function useSessionState(): SessionState {
  const session = useSession();
  return useSyncExternalStore(session.subscribe, session.getState);
}

/** The person who is signed in; only below the gate that shows pages to them. */
export function useViewer(): Viewer {
  const { viewer } = useSessionState();
  if (!viewer) throw new Error('nobody is signed in');
  return viewer;
}

/** What a page may offer, as `resource:action`; the server decides again on each request. */
export type Permission = 'alarms:acknowledge' | 'predictions:write' | 'rules:write' | 'plant:write';

export function usePermission(permission: Permission): boolean {
  return useSessionState().viewer?.permissions.includes(permission) ?? false;
}
