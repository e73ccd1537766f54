import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import { useLink } from '@/shared/live/react';

/** Whether live data flows: a filled dot, an open one, or a cross, with the word beside it. */
export function LinkLabel() {
  const { t } = useTranslation('app');
  const { phase } = useLink();
  const live = phase === 'live';
  const lost = phase === 'offline' || phase === 'reconnecting';
  return (
    <Box
      role="status"
      title={t(`link.${phase}.text`)}
      aria-label={t(`link.${phase}.title`)}
      sx={{
        display: 'flex',
        alignItems: 'center',
        gap: 0.75,
        fontSize: 12,
        px: 0.5,
        color: lost ? 'warning.main' : 'text.secondary',
      }}
    >
      <Box component="svg" viewBox="0 0 12 12" aria-hidden sx={{ width: 12, height: 12, flex: 'none' }}>
        {lost ? (
          <path d="M2 2l8 8M10 2l-8 8" stroke="currentColor" strokeWidth="2" />
        ) : (
          <circle
            cx="6"
            cy="6"
            r="4"
            fill={live ? 'currentColor' : 'none'}
            stroke="currentColor"
            strokeWidth="1.500"
          />
        )}
      </Box>
      <Box component="span" sx={{ display: { xs: 'none', sm: 'inline' } }}>
        {t(`link.${phase}.title`)}
      </Box>
    </Box>
  );
}
