import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Skeleton from '@mui/material/Skeleton';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useFormat } from '@/shared/format/react';
import type { Dashboard } from './documents';

interface Kpi {
  id: string;
  value: number;
  of?: number;
  to: string;
  /** Stands out: somebody should look. */
  call: boolean;
}

/** The four numbers that say whether anything needs a person; each leads to its list. */
export function Kpis({ dashboard, siteId }: { dashboard: Dashboard | undefined; siteId: string | null }) {
  const site = siteId ? `&site=${siteId}` : '';
  const kpis: Kpi[] = dashboard
    ? [
        {
          id: 'unacknowledged',
          value: dashboard.unacknowledgedCount,
          to: `/alarms?status=OPEN,CLEARED${site}`,
          call: dashboard.unacknowledgedCount > 0,
        },
        {
          id: 'inAlarm',
          value: dashboard.assetsInAlarm,
          of: dashboard.assetCount,
          to: `/assets?alarm=yes${site}`,
          call: false,
        },
        {
          id: 'reporting',
          value: dashboard.reportingAssetCount,
          of: dashboard.assetCount,
          to: `/assets?sort=NAME${site}`,
          call: dashboard.reportingAssetCount < dashboard.assetCount,
        },
        { id: 'assets', value: dashboard.assetCount, to: `/assets?sort=NAME${site}`, call: false },
      ]
    : [];
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 2,
        gridTemplateColumns: { xs: 'repeat(2, minmax(0, 1fr))', md: 'repeat(4, minmax(0, 1fr))' },
      }}
    >
      {dashboard
        ? kpis.map((kpi) => <KpiCard key={kpi.id} kpi={kpi} />)
        : ['a', 'b', 'c', 'd'].map((id) => <Skeleton key={id} variant="rounded" height={92} />)}
    </Box>
  );
}

function KpiCard({ kpi }: { kpi: Kpi }) {
  const { t } = useTranslation('overview');
  const format = useFormat();
  return (
    <Paper
      component={Link}
      to={kpi.to}
      variant="outlined"
      sx={{
        p: 2,
        color: 'inherit',
        textDecoration: 'none',
        '&:hover': { borderColor: 'primary.main' },
        '&:focus-visible': { outline: 2, outlineColor: 'primary.main' },
      }}
    >
      <Box sx={{ color: 'text.secondary' }}>{t(`kpi.${kpi.id}`)}</Box>
      <Box sx={{ fontSize: 28, lineHeight: 1.3, fontWeight: kpi.call ? 600 : 400 }}>
        {format.count(kpi.value)}
        {kpi.of === undefined ? null : (
          <Box
            component="span"
            sx={{ fontSize: 14, fontWeight: 400, color: 'text.secondary', marginInlineStart: 1 }}
          >
            {t('of', { total: format.count(kpi.of) })}
          </Box>
        )}
      </Box>
    </Paper>
  );
}
