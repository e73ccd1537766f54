import Button from '@mui/material/Button';
import { useTranslation } from 'react-i18next';
import { useSession } from '@/shared/session/react';
import { Message } from '@/shared/ui/states';

/** The link of a letter, opened while somebody is signed in. */
export function SignedInAlready() {
  const { t } = useTranslation('app');
  const session = useSession();
  return (
    <Message
      icon="lock"
      title={t('signedInAlready.title')}
      text={t('signedInAlready.text')}
      action={
        <Button variant="outlined" size="small" onClick={() => void session.signOut().catch(() => undefined)}>
          {t('signedInAlready.action')}
        </Button>
      }
    />
  );
}
