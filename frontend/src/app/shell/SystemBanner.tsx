import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/shared/format/react';
import { useSystemStatus } from './useSystemStatus';

/** Says over the page which parts of the system are down, and what that means for people. */
export function SystemBanner() {
  const { t } = useTranslation('app');
  const format = useFormat();
  const { state, down } = useSystemStatus();
  // The region is there before its content is: only then is a change read out.
  return (
    <div role="status" aria-label={t('system.label')}>
      {down.length > 0 ? (
        <Alert role="none" severity={state === 'DOWN' ? 'error' : 'warning'} square>
          <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
            {down.map((part) => (
              <li key={part.name}>
                {t('system.part', { message: part.message ?? part.name, since: format.moment(part.since) })}
              </li>
            ))}
          </Box>
        </Alert>
      ) : null}
    </div>
  );
}
