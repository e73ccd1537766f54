import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useFormat } from '@/shared/format/react';
import { SeverityLabel } from '@/shared/ui/Severity';
import type { Dashboard } from './documents';

const token = { CRITICAL: 'critical', HIGH: 'high', MEDIUM: 'medium', LOW: 'low' } as const;

/** Active alarms by severity, each a way to their list. */
export function SeverityBars({
  counts,
  siteId,
}: {
  counts: Dashboard['activeAlarms'];
  siteId: string | null;
}) {
  const { t } = useTranslation(['overview', 'common']);
  const format = useFormat();
  const most = Math.max(1, ...counts.map((one) => one.count));
  const site = siteId ? `&site=${siteId}` : '';
  return (
    <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
      {counts.map(({ severity, count }) => (
        <Box component="li" key={severity}>
          <Box
            component={Link}
            to={`/alarms?severity=${severity}${site}`}
            aria-label={t('severityCount', { severity: t(`common:severity.${severity}`), count })}
            sx={{
              display: 'grid',
              gridTemplateColumns: '104px minmax(0, 1fr) 40px',
              gap: 1,
              alignItems: 'center',
              minHeight: 40,
              color: count > 0 ? 'text.primary' : 'text.secondary',
              textDecoration: 'none',
              '&:hover': { textDecoration: 'underline' },
            }}
          >
            <SeverityLabel severity={severity} />
            <Box sx={{ height: 8, borderRadius: 4, bgcolor: 'divider', overflow: 'hidden' }}>
              <Box
                sx={{ height: 1, bgcolor: `signal.${token[severity]}` }}
                style={{ width: `${(count / most) * 100}%` }}
              />
            </Box>
            <Box sx={{ textAlign: 'end', fontWeight: count > 0 ? 600 : 400 }}>{format.count(count)}</Box>
          </Box>
        </Box>
      ))}
    </Box>
  );
}
