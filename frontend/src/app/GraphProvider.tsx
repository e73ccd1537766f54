import { use, useEffect, useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Provider } from 'urql';
import { alarmCache } from '@/features/alarms';
import { assetCache } from '@/features/assets';
import { ruleCache } from '@/features/rules';
import { openGraph } from '@/shared/graph/client';
import { ConnectionContext } from '@/shared/live/react';
import { SocketContext } from '@/shared/live/useLive';
import { useSession } from '@/shared/session/react';

const cache = [alarmCache, assetCache, ruleCache];

/** Opens the graph for the person in their language; another language asks everything anew. */
export function GraphProvider({ children }: { children: ReactNode }) {
  const session = useSession();
  const connection = use(ConnectionContext)!;
  const { i18n } = useTranslation();
  const language = i18n.language;
  const graph = useMemo(
    () => openGraph({ session, connection, language, cache }),
    [session, connection, language],
  );
  useEffect(() => graph.close, [graph]);
  return (
    <Provider value={graph.client}>
      <SocketContext value={graph.socket}>{children}</SocketContext>
    </Provider>
  );
}
