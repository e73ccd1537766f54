import Box from '@mui/material/Box';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSites } from '@/shared/domain/sites';
import { FilterMenu } from '@/shared/ui/FilterMenu';
import { Loaded } from '@/shared/ui/Loaded';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Panel } from '@/shared/ui/Panel';
import { ErrorState, RowsSkeleton, StaleNotice } from '@/shared/ui/states';
import { useSearch } from '@/shared/url/useSearch';
import { Kpis } from './Kpis';
import { SeverityBars } from './SeverityBars';
import { useDashboard } from './useDashboard';
import { WorstAssets } from './WorstAssets';

/** What other features show on the overview, of one site or of all. */
export interface OverviewParts {
  alarms: (siteId: string | null) => ReactNode;
  predictions: (siteId: string | null) => ReactNode;
}

/** The fleet at a glance: what is abnormal, where, since when, what next. */
export function OverviewPage({ alarms, predictions }: OverviewParts) {
  const { t } = useTranslation('overview');
  const search = useSearch();
  const sites = useSites();
  const siteId = search.get('site');
  const { dashboard, error, again } = useDashboard(siteId);
  const failed = error && !dashboard;
  return (
    <>
      <PageHeader
        title={t('title')}
        actions={
          <FilterMenu
            single
            label={t('site')}
            options={sites.map((one) => ({ value: one.id, label: one.name }))}
            chosen={siteId ? [siteId] : []}
            onChange={(value) => search.set({ site: value })}
          />
        }
      />
      <Box sx={{ display: 'grid', gap: 2 }}>
        {failed ? (
          <ErrorState error={error} onRetry={again} />
        ) : (
          <Kpis dashboard={dashboard} siteId={siteId} />
        )}
        {error && dashboard ? <StaleNotice error={error} onRetry={again} /> : null}
        <Box
          sx={{
            display: 'grid',
            gap: 2,
            alignItems: 'start',
            gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 3fr) minmax(0, 2fr)' },
          }}
        >
          <Box sx={{ display: 'grid', gap: 2, minWidth: 0 }}>
            <Panel title={t('panel.alarms')} flush>
              {alarms(siteId)}
            </Panel>
            <Panel title={t('panel.worst')} flush>
              <Loaded data={dashboard} error={error} onRetry={again} skeleton={<RowsSkeleton rows={4} />}>
                {(data) => <WorstAssets assets={data.worstAssets} />}
              </Loaded>
            </Panel>
          </Box>
          <Box sx={{ display: 'grid', gap: 2, minWidth: 0 }}>
            <Panel title={t('panel.severity')}>
              <Loaded data={dashboard} error={error} onRetry={again} skeleton={<RowsSkeleton rows={4} />}>
                {(data) => <SeverityBars counts={data.activeAlarms} siteId={siteId} />}
              </Loaded>
            </Panel>
            <Panel title={t('panel.predictions')} flush>
              {predictions(siteId)}
            </Panel>
          </Box>
        </Box>
      </Box>
    </>
  );
}
