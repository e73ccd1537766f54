import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import type { AlarmStatus } from './documents';
import { isUnseen } from './status';

/** The state of an alarm in words; what nobody has seen stands out by weight. */
export function StatusLabel({ status }: { status: AlarmStatus }) {
  const { t } = useTranslation('alarms');
  return (
    <Box
      component="span"
      sx={{
        fontWeight: isUnseen(status) ? 600 : 400,
        color: isUnseen(status) ? 'text.primary' : 'text.secondary',
      }}
    >
      {t(`status.${status}`)}
    </Box>
  );
}
