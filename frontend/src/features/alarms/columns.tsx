import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import { assetName } from '@/shared/domain/assetName';
import { useFormat } from '@/shared/format/react';
import { Ago } from '@/shared/ui/Ago';
import { SeverityLabel } from '@/shared/ui/Severity';
import type { Column } from '@/shared/ui/table/columns';
import { AlarmLines } from './AlarmLines';
import type { Alarm } from './documents';
import { subjectOf, useCertainty } from './sentence';
import { isUnseen } from './status';
import { StatusLabel } from './StatusLabel';

/** The columns of a list of alarms. */
export function useAlarmColumns(): Column<Alarm>[] {
  const { t } = useTranslation(['alarms', 'common']);
  const format = useFormat();
  const certainty = useCertainty();
  return [
    {
      id: 'severity',
      header: t('common:severity.label'),
      width: '80px',
      cell: (alarm) => <SeverityLabel severity={alarm.severity} unseen={isUnseen(alarm.status)} />,
    },
    {
      id: 'what',
      header: t('field.what'),
      width: 'minmax(120px, 9fr)',
      fixed: true,
      cell: (alarm) => (
        <Box
          component="span"
          title={subjectOf(alarm)}
          sx={{ fontWeight: isUnseen(alarm.status) ? 600 : 400 }}
        >
          {subjectOf(alarm)}
        </Box>
      ),
    },
    {
      id: 'asset',
      header: t('field.asset'),
      width: 'minmax(120px, 10fr)',
      from: 'sm',
      cell: (alarm) => <span title={assetName(alarm.asset)}>{assetName(alarm.asset)}</span>,
    },
    { id: 'value', header: t('field.value'), width: '104px', align: 'end', from: 'lg', cell: certainty },
    {
      id: 'status',
      header: t('field.status'),
      width: '100px',
      from: 'sm',
      cell: (alarm) => <StatusLabel status={alarm.status} />,
    },
    {
      id: 'since',
      header: t('field.since'),
      width: '84px',
      cell: (alarm) => <Ago at={alarm.triggeredAt} />,
    },
    {
      id: 'occurrences',
      header: t('field.occurrences'),
      width: '72px',
      align: 'end',
      from: 'lg',
      cell: (alarm) => format.count(alarm.occurrences),
    },
    {
      id: 'site',
      header: t('field.site'),
      width: 'minmax(80px, 6fr)',
      from: 'lg',
      cell: (alarm) => alarm.site.name,
    },
  ];
}

/** The one column of the list on a phone: all that matters of an alarm in two lines. */
export function useAlarmLines(): Column<Alarm>[] {
  const { t } = useTranslation('alarms');
  return [
    {
      id: 'what',
      header: t('field.what'),
      width: 'minmax(0, 1fr)',
      fixed: true,
      cell: (alarm) => <AlarmLines alarm={alarm} />,
    },
  ];
}
