import IconButton from '@mui/material/IconButton';
import Link from '@mui/material/Link';
import Switch from '@mui/material/Switch';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { Icon } from '@/shared/ui/icons';
import { SeverityLabel } from '@/shared/ui/Severity';
import type { Column } from '@/shared/ui/table/columns';
import { useRuleActions } from './actions';
import { useRuleWords } from './describe';
import type { Rule } from './documents';

/** The columns of the list of rules; who may write also gets the switch and the bin. */
export function useRuleColumns(mayWrite: boolean): Column<Rule>[] {
  const { t } = useTranslation(['rules', 'common']);
  const { condition, scope } = useRuleWords();
  const { remove, setActive } = useRuleActions();
  const columns: Column<Rule>[] = [
    {
      id: 'severity',
      header: t('common:severity.label'),
      width: '104px',
      cell: (rule) => <SeverityLabel severity={rule.severity} />,
    },
    {
      id: 'name',
      header: t('field.name'),
      width: 'minmax(120px, 2fr)',
      fixed: true,
      cell: (rule) =>
        mayWrite ? (
          <Link
            component={RouterLink}
            to={`/rules/${rule.id}`}
            color="text.primary"
            sx={{ fontWeight: 600 }}
            onClick={(event) => event.stopPropagation()}
          >
            {rule.name}
          </Link>
        ) : (
          rule.name
        ),
    },
    {
      id: 'condition',
      header: t('field.condition'),
      width: 'minmax(160px, 2fr)',
      from: 'sm',
      cell: condition,
    },
    { id: 'scope', header: t('field.scope'), width: 'minmax(100px, 1fr)', from: 'md', cell: scope },
    {
      id: 'active',
      header: t('field.isActive'),
      width: '72px',
      cell: (rule) =>
        mayWrite ? (
          <Switch
            size="small"
            checked={rule.isActive}
            onClick={(event) => event.stopPropagation()}
            onChange={(_, checked) => void setActive(rule, checked)}
            slotProps={{ input: { 'aria-label': t('activeOf', { name: rule.name }) } }}
          />
        ) : rule.isActive ? (
          t('common:yes')
        ) : (
          t('common:no')
        ),
    },
  ];
  if (!mayWrite) return columns;
  return [
    ...columns,
    {
      id: 'actions',
      header: t('delete'),
      width: '56px',
      cell: (rule) => (
        <IconButton
          size="small"
          aria-label={t('deleteOf', { name: rule.name })}
          title={t('delete')}
          onClick={(event) => {
            event.stopPropagation();
            void remove(rule);
          }}
        >
          <Icon name="trash" />
        </IconButton>
      ),
    },
  ];
}
