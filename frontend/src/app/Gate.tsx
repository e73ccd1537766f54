import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import LinearProgress from '@mui/material/LinearProgress';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession, useSessionState } from '@/shared/session/react';
import { Notices } from '@/shared/ui/notices';
import { Message } from '@/shared/ui/states';
import { GraphProvider } from './GraphProvider';
import { Preferences } from './shell/Preferences';
import { Shell } from './shell/Shell';

const ExpiredDialog = lazy(() =>
  import('@/features/auth/ExpiredDialog').then((page) => ({ default: page.ExpiredDialog })),
);
const SignInPage = lazy(() => import('@/features/auth/pages').then((page) => ({ default: page.SignInPage })));

/** Shows the sign-in to those who are not, the product to those who are. */
export function Gate() {
  const session = useSession();
  const state = useSessionState();
  const { t } = useTranslation(['app', 'common']);
  // Somebody else at the same browser begins with nothing of the person before.
  const person = state.viewer ? `${state.viewer.tenant.id} ${state.viewer.user?.id ?? ''}` : null;
  const [visit, setVisit] = useState({ person, count: 0 });
  if (visit.person !== person) setVisit({ person, count: visit.count + 1 });

  switch (state.phase) {
    case 'restoring':
      return <LinearProgress aria-label={t('common:loading')} />;
    case 'unreachable':
      return (
        <Box component="main" sx={{ minHeight: '100dvh', display: 'grid', placeItems: 'center' }}>
          <Message
            icon="unplugged"
            title={t('common:error.network.title')}
            text={t('common:error.network.text')}
            action={
              <Button variant="outlined" onClick={() => void session.restore()}>
                {t('common:retry')}
              </Button>
            }
          />
        </Box>
      );
    case 'signedOut':
      return (
        <Suspense fallback={null}>
          <SignInPage preferences={<Preferences />} />
          <Notices />
        </Suspense>
      );
    case 'active':
    case 'expired':
      return (
        <GraphProvider key={visit.count}>
          <Shell />
          <Notices />
          {state.phase === 'expired' ? (
            <Suspense fallback={null}>
              <ExpiredDialog email={state.viewer.user?.email ?? ''} />
            </Suspense>
          ) : null}
        </GraphProvider>
      );
  }
}
