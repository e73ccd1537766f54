import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink, useNavigate } from 'react-router';
import { usePermission } from '@/shared/session/react';
import { FilterMenu } from '@/shared/ui/FilterMenu';
import { Icon } from '@/shared/ui/icons';
import { Loaded } from '@/shared/ui/Loaded';
import { PageHeader } from '@/shared/ui/PageHeader';
import { SearchField } from '@/shared/ui/SearchField';
import { Message, RowsSkeleton } from '@/shared/ui/states';
import { useShownColumns } from '@/shared/ui/table/columns';
import { DataTable } from '@/shared/ui/table/DataTable';
import { useSearch } from '@/shared/url/useSearch';
import { useRuleColumns } from './columns';
import { useRuleList, type RuleFilter } from './useRuleList';

/** The rules: what raises an alarm. */
export function RulesPage() {
  const { t } = useTranslation(['rules', 'common']);
  const search = useSearch();
  const navigate = useNavigate();
  const mayWrite = usePermission('rules:write');
  const text = search.get('q') ?? '';
  const active = search.get('active');
  const filter: RuleFilter = {
    ...(text ? { search: text } : {}),
    ...(active ? { isActive: active === 'yes' } : {}),
  };
  const { rules, total, error, again, more } = useRuleList(filter);
  const columns = useShownColumns(useRuleColumns(mayWrite), []);
  const { set } = search;
  const seek = useCallback((value: string) => set({ q: value }), [set]);
  const filtered = Object.keys(filter).length > 0;
  const add = mayWrite ? (
    <Button component={RouterLink} to="/rules/new" variant="contained" startIcon={<Icon name="plus" />}>
      {t('page.add')}
    </Button>
  ) : undefined;

  return (
    <>
      <PageHeader
        title={t('page.title')}
        note={total === undefined ? ' ' : t('page.count', { count: total })}
        actions={add}
      />
      <Paper variant="outlined">
        <Box sx={{ display: 'flex', gap: 1, p: 1.5, flexWrap: 'wrap', alignItems: 'center' }}>
          <SearchField label={t('page.search')} value={text} onChange={seek} />
          <FilterMenu
            single
            label={t('field.isActive')}
            options={[
              { value: 'yes', label: t('common:yes') },
              { value: 'no', label: t('common:no') },
            ]}
            chosen={active ? [active] : []}
            onChange={(value) => set({ active: value })}
          />
          {filtered ? (
            <Button size="small" onClick={() => set({ q: null, active: null })}>
              {t('common:filter.clear')}
            </Button>
          ) : null}
        </Box>
        <Loaded data={rules} error={error} onRetry={again} skeleton={<RowsSkeleton rows={6} />}>
          {(rows) => (
            <DataTable
              label={t('page.title')}
              columns={columns}
              rows={rows}
              total={total}
              idOf={(rule) => rule.id}
              onOpen={mayWrite ? (rule) => void navigate(`/rules/${rule.id}`) : undefined}
              onEnd={more}
              empty={
                filtered ? (
                  <Message icon="filter" title={t('common:filter.none')} />
                ) : (
                  <Message icon="rules" title={t('page.empty.title')} text={t('page.empty.text')} />
                )
              }
            />
          )}
        </Loaded>
      </Paper>
    </>
  );
}
