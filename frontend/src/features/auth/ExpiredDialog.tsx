import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogContent from '@mui/material/DialogContent';
import DialogContentText from '@mui/material/DialogContentText';
import DialogTitle from '@mui/material/DialogTitle';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession } from '@/shared/session/react';
import { SignInForm } from './SignInForm';

/**
 * Asks for the password over the page when the session is over. The page stays as it
 * is, with what was typed; requests that wait go on after it.
 */
export function ExpiredDialog({ email }: { email: string }) {
  const { t } = useTranslation('auth');
  const session = useSession();
  const id = useId();
  return (
    <Dialog open fullWidth maxWidth="xs" aria-labelledby={id}>
      <DialogTitle id={id}>{t('expired.title')}</DialogTitle>
      <DialogContent sx={{ display: 'flex', flexDirection: 'column', gap: 2 }}>
        <DialogContentText>{t('expired.text')}</DialogContentText>
        <SignInForm email={email} />
        <Button color="inherit" onClick={() => void session.signOut().catch(() => undefined)}>
          {t('expired.other')}
        </Button>
      </DialogContent>
    </Dialog>
  );
}
