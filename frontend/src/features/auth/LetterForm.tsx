import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink, useLocation, useNavigate } from 'react-router';
import { useSession } from '@/shared/session/react';
import type { Entry } from '@/shared/session/session';
import { answerLetter, fieldsOf, type LetterKind } from './letters';

const inputs = {
  fullName: { type: 'text', autoComplete: 'name', dir: undefined },
  password: { type: 'password', autoComplete: 'new-password', dir: 'ltr' },
  email: { type: 'email', autoComplete: 'username', dir: 'ltr' },
} as const;

/** What a letter asks for: a name and a password, a password, or the address to send one to. */
export function LetterForm({ kind }: { kind: LetterKind }) {
  const { t } = useTranslation(['auth', 'common']);
  const session = useSession();
  const navigate = useNavigate();
  const token = new URLSearchParams(useLocation().hash.slice(1)).get('token') ?? '';
  const [mistakes, setMistakes] = useState<Entry['userErrors']>([]);
  const [busy, setBusy] = useState(false);
  const [sent, setSent] = useState(false);
  const fields = fieldsOf[kind];
  const blame = (name: string) => mistakes.find(({ field }) => field?.split('.').pop() === name);
  const others = mistakes.filter(({ field }) => !fields.some((name) => field?.split('.').pop() === name));

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string) => {
      const entry = form.get(name);
      return typeof entry === 'string' ? entry : '';
    };
    const typed = {
      fullName: value('fullName').trim(),
      password: value('password'),
      email: value('email').trim(),
    };
    const missing = fields.filter((name) => typed[name] === '');
    if (missing.length > 0) {
      setMistakes(missing.map((field) => ({ field, message: t('common:invalid.needed') })));
      return;
    }
    setBusy(true);
    try {
      const found = await answerLetter(session, kind, token, typed);
      setMistakes(found);
      if (found.length > 0) return;
      if (kind === 'forgot') setSent(true);
      else await navigate('/', { replace: true });
    } catch {
      setMistakes([{ field: null, message: t('unreachable') }]);
    } finally {
      setBusy(false);
    }
  }

  if (sent) return <Alert severity="success">{t('letter.sent')}</Alert>;
  if (kind !== 'forgot' && !token) return <Alert severity="error">{t('letter.noToken')}</Alert>;
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event) => void submit(event)}
      sx={{ display: 'flex', flexDirection: 'column', gap: 2 }}
    >
      {others.map(({ message }) => (
        <Alert key={message} severity="error">
          {message}
        </Alert>
      ))}
      {fields.map((name, place) => (
        <TextField
          key={name}
          name={name}
          type={inputs[name].type}
          label={t(name === 'password' ? 'newPassword' : name)}
          autoComplete={inputs[name].autoComplete}
          autoFocus={place === 0}
          error={blame(name) !== undefined}
          helperText={blame(name)?.message ?? (name === 'password' ? t('passwordHelp') : undefined)}
          slotProps={{ htmlInput: { dir: inputs[name].dir } }}
        />
      ))}
      <Button type="submit" variant="contained" size="large" loading={busy}>
        {t(`letter.${kind}.submit`)}
      </Button>
      <Button component={RouterLink} to="/" color="inherit">
        {t('letter.back')}
      </Button>
    </Box>
  );
}
