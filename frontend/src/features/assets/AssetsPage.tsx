import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { assetTypes } from '@/shared/domain/assetTypes';
import { useSites } from '@/shared/domain/sites';
import { usePermission } from '@/shared/session/react';
import { FilterMenu } from '@/shared/ui/FilterMenu';
import { Icon } from '@/shared/ui/icons';
import { Loaded } from '@/shared/ui/Loaded';
import { PageHeader } from '@/shared/ui/PageHeader';
import { SearchField } from '@/shared/ui/SearchField';
import { PANEL_WIDTH } from '@/shared/ui/SidePanel';
import { Message, RowsSkeleton } from '@/shared/ui/states';
import { ColumnChoice } from '@/shared/ui/table/ColumnChoice';
import { useHiddenColumns, useShownColumns } from '@/shared/ui/table/columns';
import { DataTable } from '@/shared/ui/table/DataTable';
import type { SortState } from '@/shared/ui/table/HeaderCell';
import { useSearch } from '@/shared/url/useSearch';
import { AssetPanel } from './AssetPanel';
import { useAssetColumns } from './columns';
import { useAssetList, type AssetFilter, type AssetOrder } from './useAssetList';
import { criticalities } from './vocabulary';

const orders = ['CODE', 'NAME', 'CRITICALITY', 'ALARMS'] as const;
const known = <T extends string>(values: readonly T[], wanted: string[]): T[] =>
  values.filter((value) => wanted.includes(value));

/** The machines: search, filter, sort, look into one. */
export function AssetsPage() {
  const { t } = useTranslation(['assets', 'common']);
  const search = useSearch();
  const sites = useSites();
  const mayWrite = usePermission('plant:write');
  const text = search.get('q') ?? '';
  const types = known(assetTypes, search.list('type'));
  const critical = known(criticalities, search.list('criticality'));
  const site = search.get('site');
  const alarmed = search.get('alarm');
  const filter: AssetFilter = {
    ...(text ? { search: text } : {}),
    ...(types.length > 0 ? { types } : {}),
    ...(critical.length > 0 ? { criticalities: critical } : {}),
    ...(site ? { siteId: site } : {}),
    ...(alarmed ? { hasActiveAlarm: alarmed === 'yes' } : {}),
  };
  const order: SortState & AssetOrder = {
    field: known(orders, [search.get('sort') ?? ''])[0] ?? 'ALARMS',
    direction: search.get('dir') === 'asc' || (!search.get('dir') && search.get('sort')) ? 'ASC' : 'DESC',
  };
  const { assets, total, error, again, more } = useAssetList(filter, order);
  const all = useAssetColumns();
  const [hidden, toggleColumn] = useHiddenColumns('assets');
  const open = search.get('open');
  const columns = useShownColumns(all, hidden, open ? PANEL_WIDTH : 0);
  const filtered = Object.keys(filter).length > 0;
  const { set } = search;
  const seek = useCallback((value: string) => set({ q: value }), [set]);
  const sort = (field: string) =>
    set({ sort: field, dir: order.field === field && order.direction === 'ASC' ? 'desc' : 'asc' });

  return (
    <>
      <PageHeader
        title={t('page.title')}
        note={total === undefined ? ' ' : t('page.count', { count: total })}
        actions={
          mayWrite ? (
            <Button
              component={RouterLink}
              to="/assets/new"
              variant="contained"
              startIcon={<Icon name="plus" />}
            >
              {t('page.add')}
            </Button>
          ) : undefined
        }
      />
      <Box sx={{ display: 'flex', gap: 2 }}>
        <Paper variant="outlined" sx={{ flex: 1, minWidth: 0 }}>
          <Box sx={{ display: 'flex', gap: 1, p: 1.5, flexWrap: 'wrap', alignItems: 'center' }}>
            <SearchField label={t('page.search')} value={text} onChange={seek} />
            <FilterMenu
              label={t('field.type')}
              options={assetTypes.map((value) => ({ value, label: t(`common:assetType.${value}`) }))}
              chosen={types}
              onChange={(value) => set({ type: value })}
            />
            <FilterMenu
              label={t('field.criticality')}
              options={criticalities.map((value) => ({ value, label: t(`common:severity.${value}`) }))}
              chosen={critical}
              onChange={(value) => set({ criticality: value })}
            />
            <FilterMenu
              single
              label={t('field.site')}
              options={sites.map((one) => ({ value: one.id, label: one.name }))}
              chosen={site ? [site] : []}
              onChange={(value) => set({ site: value })}
            />
            <FilterMenu
              single
              label={t('field.alarm')}
              options={[
                { value: 'yes', label: t('alarmed.yes') },
                { value: 'no', label: t('alarmed.no') },
              ]}
              chosen={alarmed ? [alarmed] : []}
              onChange={(value) => set({ alarm: value })}
            />
            {filtered ? (
              <Button
                size="small"
                onClick={() => set({ q: null, type: null, criticality: null, site: null, alarm: null })}
              >
                {t('common:filter.clear')}
              </Button>
            ) : null}
            <Box sx={{ flex: 1 }} />
            <ColumnChoice columns={all} hidden={hidden} onToggle={toggleColumn} />
          </Box>
          <Loaded data={assets} error={error} onRetry={again} skeleton={<RowsSkeleton rows={12} />}>
            {(rows) => (
              <DataTable
                label={t('page.title')}
                columns={columns}
                rows={rows}
                total={total}
                idOf={(asset) => asset.id}
                sort={order}
                onSort={sort}
                onOpen={(asset) => set({ open: asset.id })}
                openId={open}
                onEnd={more}
                empty={
                  filtered ? (
                    <Message icon="filter" title={t('common:filter.none')} />
                  ) : (
                    <Message icon="assets" title={t('page.empty.title')} text={t('page.empty.text')} />
                  )
                }
              />
            )}
          </Loaded>
        </Paper>
        {open ? <AssetPanel id={open} onClose={() => set({ open: null })} /> : null}
      </Box>
    </>
  );
}
