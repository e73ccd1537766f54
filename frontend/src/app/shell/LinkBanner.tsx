import Alert from '@mui/material/Alert';
import { useTranslation } from 'react-i18next';
import { useFormat, useNow } from '@/shared/format/react';
import { useLink } from '@/shared/live/react';

/** A loss this short is not worth a word. */
const PATIENCE = 5_000;

/** Says over the page that what it shows stands still, and since when. */
export function LinkBanner() {
  const { t } = useTranslation('app');
  const format = useFormat();
  const now = useNow();
  const { phase, downSince } = useLink();
  if (downSince === null || (phase !== 'offline' && now - downSince < PATIENCE)) return null;
  return (
    <Alert severity="warning" square>
      {t(phase === 'offline' ? 'banner.offline' : 'banner.stale', { since: format.time(downSince) })}
    </Alert>
  );
}
