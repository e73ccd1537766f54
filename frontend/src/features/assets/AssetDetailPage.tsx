import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Skeleton from '@mui/material/Skeleton';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink, useParams } from 'react-router';
import { assetName } from '@/shared/domain/assetName';
import { usePermission } from '@/shared/session/react';
import { Ago } from '@/shared/ui/Ago';
import { Icon } from '@/shared/ui/icons';
import { Loaded } from '@/shared/ui/Loaded';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Panel } from '@/shared/ui/Panel';
import { Message } from '@/shared/ui/states';
import { AssetFacts } from './AssetFacts';
import { AssetState } from './AssetState';
import type { AssetDetail } from './documents';
import { SensorList } from './SensorList';
import { useAsset } from './useAsset';
import { SILENT_AFTER } from './vocabulary';

/** What other features show on a machine's page. */
export interface AssetParts {
  /** Calls back with the time of each sensor's newest reading while it shows them. */
  charts: (asset: AssetDetail, onSeen: (newest: Record<string, string>) => void) => ReactNode;
  predictions: (asset: AssetDetail) => ReactNode;
  alarms: (asset: AssetDetail) => ReactNode;
}

/** One machine: its state now, live charts, what the model says, its alarms. */
export function AssetDetailPage(parts: AssetParts) {
  const { t } = useTranslation('assets');
  const { id = '' } = useParams();
  const { data, asset, error, again } = useAsset(id);
  return (
    <Loaded data={data} error={error} onRetry={again} skeleton={<DetailSkeleton />}>
      {() =>
        asset ? (
          <Detail asset={asset} {...parts} />
        ) : (
          <Message
            icon="compass"
            title={t('detail.gone.title')}
            text={t('detail.gone.text')}
            action={
              <Button component={RouterLink} to="/assets" variant="outlined" size="small">
                {t('detail.gone.action')}
              </Button>
            }
          />
        )
      }
    </Loaded>
  );
}

function Detail({ asset, charts, predictions, alarms }: AssetParts & { asset: AssetDetail }) {
  const { t } = useTranslation('assets');
  const mayWrite = usePermission('plant:write');
  const [seen, setSeen] = useState<Record<string, string>>({});
  const sensors = asset.sensors.map((sensor) => ({
    ...sensor,
    lastSeenAt: seen[sensor.id] ?? sensor.lastSeenAt,
  }));
  const lastSeenAt = [asset.lastSeenAt, ...Object.values(seen)].reduce(
    (a, b) => ((b ?? '') > (a ?? '') ? b : a),
    null,
  );
  return (
    <>
      <PageHeader
        title={assetName(asset)}
        note={
          <Box sx={{ display: 'flex', gap: 2, flexWrap: 'wrap', alignItems: 'center' }}>
            <AssetState asset={asset} />
            <span>{asset.site.name}</span>
            <span>
              {lastSeenAt ? (
                <>
                  {t('detail.lastSeen')} <Ago at={lastSeenAt} staleAfter={SILENT_AFTER} />
                </>
              ) : (
                t('detail.neverSeen')
              )}
            </span>
          </Box>
        }
        actions={
          mayWrite ? (
            <Button
              component={RouterLink}
              to={`/assets/${asset.id}/edit`}
              variant="outlined"
              startIcon={<Icon name="edit" />}
            >
              {t('detail.edit')}
            </Button>
          ) : undefined
        }
      />
      <Box
        sx={{
          display: 'grid',
          gap: 2,
          alignItems: 'start',
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 2fr) minmax(320px, 1fr)' },
        }}
      >
        <Box sx={{ display: 'grid', gap: 2, minWidth: 0 }}>
          {charts(asset, setSeen)}
          <Panel title={t('detail.alarms')} flush>
            {alarms(asset)}
          </Panel>
        </Box>
        <Box sx={{ display: 'grid', gap: 2, minWidth: 0 }}>
          <Panel title={t('detail.predictions')} flush>
            <Box sx={{ pb: 1 }}>{predictions(asset)}</Box>
          </Panel>
          <Panel title={t('detail.sensors')} flush>
            <SensorList sensors={sensors} />
          </Panel>
          <Panel title={t('detail.facts')}>
            <AssetFacts asset={{ ...asset, lastSeenAt }} />
          </Panel>
        </Box>
      </Box>
    </>
  );
}

function DetailSkeleton() {
  return (
    <Box sx={{ display: 'grid', gap: 2 }}>
      <Skeleton variant="text" width={320} height={36} />
      <Skeleton variant="rounded" height={320} />
      <Skeleton variant="rounded" height={160} />
    </Box>
  );
}
