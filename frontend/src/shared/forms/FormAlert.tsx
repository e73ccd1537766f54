import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import { useTranslation } from 'react-i18next';

interface Props {
  /** What is wrong with the form as a whole. */
  message?: string;
  /** Number of fields with errors. */
  count: number;
  /** Somebody else saved a newer version. */
  stale?: boolean;
  onLoadNewer?: () => void;
}

/** The summary over a form: how many fields to mend, what the server says, a newer version. */
export function FormAlert({ message, count, stale = false, onLoadNewer }: Props) {
  const { t } = useTranslation('common');
  if (stale) {
    return (
      <Alert
        severity="warning"
        variant="outlined"
        action={
          <Button color="inherit" size="small" onClick={onLoadNewer}>
            {t('form.loadNewer')}
          </Button>
        }
      >
        {t('form.stale')}
      </Alert>
    );
  }
  const text = message ?? (count > 0 ? t('form.mend', { count }) : null);
  return text ? (
    <Alert severity="error" variant="outlined">
      {text}
    </Alert>
  ) : null;
}
