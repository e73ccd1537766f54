import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useAlarmCounts } from '@/features/alarms';
import { severities } from '@/shared/domain/severity';
import { useFormat } from '@/shared/format/react';
import { SeverityMark } from '@/shared/ui/Severity';

/** Number of active alarms by severity, always in sight; each leads to its list. */
export function AlarmSummary() {
  const { t } = useTranslation(['app', 'common']);
  const format = useFormat();
  const counts = useAlarmCounts();
  const shown = severities.filter((severity) => counts[severity] > 0);
  if (shown.length === 0) return null;
  return (
    <Box
      component="ul"
      aria-label={t('alarms')}
      sx={{ display: 'flex', gap: { xs: 0, sm: 0.5 }, listStyle: 'none', m: 0, p: 0 }}
    >
      {shown.map((severity) => (
        <li key={severity}>
          <Box
            component={Link}
            to={`/alarms?severity=${severity}`}
            aria-label={t('alarmCount', {
              severity: t(`common:severity.${severity}`),
              count: counts[severity],
            })}
            sx={{
              display: 'flex',
              alignItems: 'center',
              gap: 0.75,
              px: 0.75,
              height: 32,
              borderRadius: 1,
              color: 'text.primary',
              textDecoration: 'none',
              '&:hover': { bgcolor: 'action.hover' },
            }}
          >
            <SeverityMark severity={severity} size={12} />
            {format.count(counts[severity])}
          </Box>
        </li>
      ))}
    </Box>
  );
}
