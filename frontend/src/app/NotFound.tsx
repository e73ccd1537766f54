import Button from '@mui/material/Button';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Message } from '@/shared/ui/states';

export function NotFound() {
  const { t } = useTranslation('app');
  return (
    <Message
      icon="compass"
      title={t('notFound.title')}
      text={t('notFound.text')}
      action={
        <Button component={Link} to="/" variant="outlined" size="small">
          {t('nav.overview')}
        </Button>
      }
    />
  );
}
