import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { languageOf } from '@/shared/i18n/languages';
import type { Connection } from '@/shared/live/connection';
import { ConnectionContext } from '@/shared/live/react';
import { SessionContext } from '@/shared/session/react';
import type { Session } from '@/shared/session/session';
import { LookProvider } from '@/shared/theme/Providers';
import { Gate } from './Gate';

interface Props {
  session: Session;
  connection: Connection;
}

/** The whole application in the person's language and look. */
export function App({ session, connection }: Props) {
  const { i18n } = useTranslation();
  return (
    <LookProvider direction={languageOf(i18n.language).direction}>
      <SessionContext value={session}>
        <ConnectionContext value={connection}>
          <Suspense fallback={null}>
            <Gate />
          </Suspense>
        </ConnectionContext>
      </SessionContext>
    </LookProvider>
  );
}
