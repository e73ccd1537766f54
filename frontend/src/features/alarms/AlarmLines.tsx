import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import { assetName } from '@/shared/domain/assetName';
import { Ago } from '@/shared/ui/Ago';
import { SeverityMark } from '@/shared/ui/Severity';
import type { Alarm } from './documents';
import { subjectOf } from './sentence';
import { isUnseen } from './status';

/** An alarm in two lines, for narrow screens: what and since when; where, how bad and its state. */
export function AlarmLines({ alarm }: { alarm: Alarm }) {
  const { t } = useTranslation(['alarms', 'common']);
  const unseen = isUnseen(alarm.status);
  return (
    <Box sx={{ display: 'flex', gap: 1 }}>
      <Box component="span" sx={{ display: 'flex', alignItems: 'center', height: 20 }}>
        <SeverityMark severity={alarm.severity} unseen={unseen} />
      </Box>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Box sx={{ display: 'flex', gap: 1, alignItems: 'baseline' }}>
          <Box component="span" dir="auto" sx={{ flex: 1, minWidth: 0, fontWeight: unseen ? 600 : 400 }}>
            {subjectOf(alarm)}
          </Box>
          <Box component="span" sx={{ fontSize: 12, color: 'text.secondary' }}>
            <Ago at={alarm.triggeredAt} />
          </Box>
        </Box>
        <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
          <bdi>{assetName(alarm.asset)}</bdi> · {t(`common:severity.${alarm.severity}`)} ·{' '}
          {t(`status.${alarm.status}`)}
        </Box>
      </Box>
    </Box>
  );
}
