import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import TextField from '@mui/material/TextField';
import { useId, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useAlarmActions } from './actions';

const LONGEST = 4000;

interface Props {
  id: string;
  title: string;
  onClose: () => void;
}

/** Asks what was done, which closes the alarm. The text stays when saving fails. */
export function ResolveDialog({ id, title, onClose }: Props) {
  const { t } = useTranslation(['alarms', 'common']);
  const heading = useId();
  const { resolve } = useAlarmActions();
  const [plan, setPlan] = useState('');
  const [missing, setMissing] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (plan.trim() === '') {
      setMissing(true);
      return;
    }
    setBusy(true);
    const message = await resolve(id, plan.trim());
    setBusy(false);
    if (message === null) onClose();
    else setFailure(message);
  }

  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby={heading}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <DialogTitle id={heading}>{t('resolve.title')}</DialogTitle>
        <DialogContent sx={{ display: 'flex', flexDirection: 'column', gap: 2 }}>
          <div>{title}</div>
          {failure ? <Alert severity="error">{failure}</Alert> : null}
          <TextField
            autoFocus
            multiline
            minRows={4}
            required
            label={t('resolve.plan')}
            value={plan}
            onChange={(event) => {
              setPlan(event.target.value);
              setMissing(false);
            }}
            error={missing}
            helperText={missing ? t('resolve.planNeeded') : t('resolve.planHelp')}
            slotProps={{ htmlInput: { maxLength: LONGEST } }}
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose} color="inherit">
            {t('common:cancel')}
          </Button>
          <Button type="submit" variant="contained" loading={busy}>
            {t('resolve.button')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
