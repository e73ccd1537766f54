import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import { useTheme } from '@mui/material/styles';
import useMediaQuery from '@mui/material/useMediaQuery';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSites } from '@/shared/domain/sites';
import { isSeverity, severities } from '@/shared/domain/severity';
import { usePermission } from '@/shared/session/react';
import { FilterMenu } from '@/shared/ui/FilterMenu';
import { Loaded } from '@/shared/ui/Loaded';
import { PageHeader } from '@/shared/ui/PageHeader';
import { SeverityMark } from '@/shared/ui/Severity';
import { PANEL_WIDTH } from '@/shared/ui/SidePanel';
import { Message, RowsSkeleton } from '@/shared/ui/states';
import { ColumnChoice } from '@/shared/ui/table/ColumnChoice';
import { useHiddenColumns, useShownColumns } from '@/shared/ui/table/columns';
import { DataTable } from '@/shared/ui/table/DataTable';
import { useSearch } from '@/shared/url/useSearch';
import { useAlarmActions } from './actions';
import { AlarmPanel, type PanelProps } from './AlarmPanel';
import { useAlarmColumns, useAlarmLines } from './columns';
import type { AlarmStatus } from './documents';
import { useSentence } from './sentence';
import { isUnseen, statuses } from './status';
import { useAlarmList, type AlarmFilter } from './useAlarmList';

const isStatus = (text: string): text is AlarmStatus => (statuses as readonly string[]).includes(text);

/** All alarms, live: filter, acknowledge one or many, look into one. */
export function AlarmsPage({ feedback }: Pick<PanelProps, 'feedback'>) {
  const { t } = useTranslation(['alarms', 'common']);
  const search = useSearch();
  const sites = useSites();
  const status = search.list('status').filter(isStatus);
  const severity = search.list('severity').filter(isSeverity);
  const site = search.get('site');
  const filter: AlarmFilter = {
    ...(status.length > 0 ? { statuses: status } : { activeOnly: true }),
    ...(severity.length > 0 ? { severities: severity } : {}),
    ...(site ? { siteId: site } : {}),
  };
  const { alarms, total, error, again, more } = useAlarmList(filter);
  const mayAct = usePermission('alarms:acknowledge');
  const { acknowledge } = useAlarmActions();
  const sentence = useSentence();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const all = useAlarmColumns();
  const [hidden, toggleColumn] = useHiddenColumns('alarms');
  const open = search.get('open');
  const shown = useShownColumns(all, hidden, open ? PANEL_WIDTH : 0);
  const lines = useAlarmLines();
  const phone = useMediaQuery(useTheme().breakpoints.down('sm'));
  const selectable = useMemo(
    () => new Set((alarms ?? []).filter((alarm) => isUnseen(alarm.status)).map((alarm) => alarm.id)),
    [alarms],
  );
  const ready = [...chosen].filter((id) => selectable.has(id));
  const filtered = search.get('status') || search.get('severity') || site;

  return (
    <>
      <PageHeader
        title={t('page.title')}
        note={
          total === undefined
            ? ' '
            : t(status.length > 0 ? 'page.count' : 'page.countActive', { count: total })
        }
      />
      <Box sx={{ display: 'flex', gap: 2 }}>
        <Paper variant="outlined" sx={{ flex: 1, minWidth: 0 }}>
          <Box sx={{ display: 'flex', gap: 1, p: 1.5, flexWrap: 'wrap', alignItems: 'center' }}>
            <FilterMenu
              label={t('field.status')}
              options={statuses.map((value) => ({ value, label: t(`status.${value}`) }))}
              chosen={status}
              onChange={(value) => search.set({ status: value })}
            />
            <FilterMenu
              label={t('common:severity.label')}
              options={severities.map((value) => ({
                value,
                label: t(`common:severity.${value}`),
                mark: <SeverityMark severity={value} />,
              }))}
              chosen={severity}
              onChange={(value) => search.set({ severity: value })}
            />
            <FilterMenu
              single
              label={t('field.site')}
              options={sites.map((one) => ({ value: one.id, label: one.name }))}
              chosen={site ? [site] : []}
              onChange={(value) => search.set({ site: value })}
            />
            {filtered ? (
              <Button size="small" onClick={() => search.set({ status: null, severity: null, site: null })}>
                {t('common:filter.clear')}
              </Button>
            ) : null}
            <Box sx={{ flex: 1 }} />
            {ready.length > 0 ? (
              <Button
                size="small"
                variant="contained"
                onClick={() => {
                  setChosen(new Set());
                  void acknowledge(ready);
                }}
              >
                {t('acknowledge.many', { count: ready.length })}
              </Button>
            ) : null}
            {phone ? null : <ColumnChoice columns={all} hidden={hidden} onToggle={toggleColumn} />}
          </Box>
          <Loaded data={alarms} error={error} onRetry={again} skeleton={<RowsSkeleton rows={10} />}>
            {(rows) => (
              <DataTable
                label={t('page.title')}
                columns={phone ? lines : shown}
                tall={phone}
                rows={rows}
                total={total}
                idOf={(alarm) => alarm.id}
                nameOf={sentence}
                onOpen={(alarm) => search.set({ open: alarm.id })}
                openId={open}
                onEnd={more}
                selection={
                  mayAct
                    ? {
                        ids: chosen,
                        canSelect: (id) => selectable.has(id),
                        toggle: (id) => setChosen(toggled(chosen, id)),
                        toggleAll: () => setChosen(ready.length > 0 ? new Set() : selectable),
                      }
                    : undefined
                }
                empty={
                  filtered ? (
                    <Message icon="filter" title={t('common:filter.none')} />
                  ) : (
                    <Message icon="check" title={t('feed.empty.title')} text={t('feed.empty.text')} />
                  )
                }
              />
            )}
          </Loaded>
        </Paper>
        {open ? (
          <AlarmPanel id={open} feedback={feedback} onClose={() => search.set({ open: null })} />
        ) : null}
      </Box>
    </>
  );
}

function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}
