import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession } from '@/shared/session/react';
import type { SignInError } from '@/shared/session/session';

interface Props {
  /** The address of a person who only has to confirm who they are. */
  email?: string;
}

/** Address, password, and the tenant where the server asks for it. */
export function SignInForm({ email: known }: Props) {
  const { t } = useTranslation(['auth', 'common']);
  const session = useSession();
  const [error, setError] = useState<SignInError | null>(null);
  const [askTenant, setAskTenant] = useState(false);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string) => {
      const entry = form.get(name);
      return typeof entry === 'string' ? entry : '';
    };
    const missing = (['email', 'password'] as const).find((name) => value(name).trim() === '');
    if (missing) {
      setError({ field: missing, message: t('common:invalid.needed') });
      return;
    }
    setBusy(true);
    try {
      const failure = await session.signIn(
        value('email').trim(),
        value('password'),
        value('tenantCode').trim(),
      );
      setError(failure);
      if (failure?.field === 'tenantCode') setAskTenant(true);
    } catch {
      setError({ field: null, message: t('unreachable') });
    } finally {
      setBusy(false);
    }
  }

  const blame = (field: SignInError['field']) => ({
    error: error?.field === field,
    helperText: error?.field === field ? error.message : undefined,
  });

  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event) => void submit(event)}
      sx={{ display: 'flex', flexDirection: 'column', gap: 2 }}
    >
      {error && error.field === null ? <Alert severity="error">{error.message}</Alert> : null}
      <TextField
        name="email"
        type="email"
        label={t('email')}
        autoComplete="username"
        defaultValue={known}
        autoFocus={!known}
        {...blame('email')}
        slotProps={{ htmlInput: { dir: 'ltr', readOnly: known !== undefined } }}
      />
      <TextField
        name="password"
        type="password"
        label={t('password')}
        autoComplete="current-password"
        autoFocus={known !== undefined}
        {...blame('password')}
        slotProps={{ htmlInput: { dir: 'ltr' } }}
      />
      {askTenant ? (
        <TextField
          name="tenantCode"
          label={t('tenant')}
          autoFocus
          error={error?.field === 'tenantCode'}
          helperText={error?.field === 'tenantCode' ? error.message : t('tenantHelp')}
          slotProps={{ htmlInput: { dir: 'ltr', autoCapitalize: 'none' } }}
        />
      ) : null}
      <Button type="submit" variant="contained" size="large" loading={busy}>
        {t('submit')}
      </Button>
    </Box>
  );
}
