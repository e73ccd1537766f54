import Button from '@mui/material/Button';
import { useTranslation } from 'react-i18next';
import { Message } from '@/shared/ui/states';

/** Predictions could not be asked for. */
export function LoadFailed({ onRetry }: { onRetry: () => void }) {
  const { t } = useTranslation(['predictions', 'common']);
  return (
    <div role="alert">
      <Message
        icon="warning"
        title={t('failed')}
        action={
          <Button size="small" variant="outlined" onClick={onRetry}>
            {t('common:retry')}
          </Button>
        }
      />
    </div>
  );
}
