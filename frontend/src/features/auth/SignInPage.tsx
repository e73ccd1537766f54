import Button from '@mui/material/Button';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink, useLocation } from 'react-router';
import { EntrancePage } from './EntrancePage';
import { LetterForm } from './LetterForm';
import { letterAddresses } from './letters';
import { SignInForm } from './SignInForm';

/** What a person sees who is not signed in; the address they came for stays. */
export function SignInPage({ preferences }: { preferences: ReactNode }) {
  const { t } = useTranslation('auth');
  const letter = letterAddresses[useLocation().pathname];
  if (letter) {
    return (
      <EntrancePage
        title={t(`letter.${letter}.title`)}
        text={t(`letter.${letter}.text`)}
        preferences={preferences}
      >
        <LetterForm kind={letter} />
      </EntrancePage>
    );
  }
  return (
    <EntrancePage title={t('title')} preferences={preferences}>
      <SignInForm />
      <Button component={RouterLink} to="/forgot-password" color="inherit" fullWidth sx={{ mt: 1 }}>
        {t('forgotten')}
      </Button>
    </EntrancePage>
  );
}
