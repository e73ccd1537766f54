import Link from '@mui/material/Link';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { useFormat } from '@/shared/format/react';
import { Ago } from '@/shared/ui/Ago';
import type { Column } from '@/shared/ui/table/columns';
import { AssetState } from './AssetState';
import type { AssetRow } from './documents';
import { SILENT_AFTER } from './vocabulary';

/** The columns of the list of assets. */
export function useAssetColumns(): Column<AssetRow>[] {
  const { t } = useTranslation(['assets', 'common']);
  const format = useFormat();
  return [
    {
      id: 'name',
      header: t('field.name'),
      width: 'minmax(140px, 2fr)',
      fixed: true,
      sort: 'NAME',
      cell: (asset) => (
        <Link
          component={RouterLink}
          to={`/assets/${asset.id}`}
          color="text.primary"
          sx={{ fontWeight: 600 }}
          onClick={(event) => event.stopPropagation()}
        >
          {asset.name}
        </Link>
      ),
    },
    {
      id: 'code',
      header: t('field.code'),
      width: 'minmax(88px, 1fr)',
      from: 'sm',
      sort: 'CODE',
      cell: (asset) => asset.code,
    },
    {
      id: 'state',
      header: t('field.state'),
      width: '128px',
      sort: 'ALARMS',
      cell: (asset) => <AssetState asset={asset} />,
    },
    {
      id: 'prediction',
      header: t('field.prediction'),
      width: 'minmax(140px, 2fr)',
      from: 'md',
      cell: ({ latestPrediction: one }) =>
        one ? t('prediction', { label: one.label, probability: format.percent(one.probability) }) : '–',
    },
    {
      id: 'type',
      header: t('field.type'),
      width: '104px',
      from: 'lg',
      cell: (asset) => t(`common:assetType.${asset.type}`),
    },
    {
      id: 'criticality',
      header: t('field.criticality'),
      width: '96px',
      from: 'md',
      sort: 'CRITICALITY',
      cell: (asset) => t(`common:severity.${asset.criticality}`),
    },
    {
      id: 'site',
      header: t('field.site'),
      width: 'minmax(88px, 1fr)',
      from: 'lg',
      cell: (asset) => asset.site.name,
    },
    {
      id: 'lastSeen',
      header: t('field.lastSeen'),
      width: '112px',
      from: 'sm',
      cell: (asset) =>
        asset.lastSeenAt ? <Ago at={asset.lastSeenAt} staleAfter={SILENT_AFTER} /> : t('never'),
    },
  ];
}
