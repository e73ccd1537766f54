import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { Ago } from '@/shared/ui/Ago';
import { Loaded } from '@/shared/ui/Loaded';
import { SeverityMark } from '@/shared/ui/Severity';
import { Message, RowsSkeleton } from '@/shared/ui/states';
import type { Alarm } from './documents';
import { subjectOf, useCertainty } from './sentence';
import { isUnseen } from './status';
import { useAlarmList } from './useAlarmList';

const DAYS = 30;
const SHOWN = 12;

/** Alarms of one machine in the last 30 days, the newest first. */
export function useAssetAlarms(assetId: string) {
  return useAlarmList({ assetId, days: DAYS });
}

export function AssetAlarms({ assetId }: { assetId: string }) {
  const { t } = useTranslation('alarms');
  const { alarms, error, again } = useAssetAlarms(assetId);
  return (
    <Loaded data={alarms} error={error} onRetry={again} skeleton={<RowsSkeleton rows={3} />}>
      {(rows) =>
        rows.length === 0 ? (
          <Message icon="check" title={t('asset.empty')} />
        ) : (
          <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
            {rows.slice(0, SHOWN).map((alarm) => (
              <AssetAlarm key={alarm.id} alarm={alarm} />
            ))}
          </Box>
        )
      }
    </Loaded>
  );
}

function AssetAlarm({ alarm }: { alarm: Alarm }) {
  const { t } = useTranslation(['alarms', 'common']);
  const certainty = useCertainty();
  const unseen = isUnseen(alarm.status);
  const list = alarm.status === 'RESOLVED' ? '&status=RESOLVED' : '';
  return (
    <Box
      component="li"
      sx={{
        display: 'flex',
        gap: 1.5,
        alignItems: 'center',
        px: 2,
        py: 0.75,
        borderTop: 1,
        borderColor: 'divider',
      }}
    >
      <SeverityMark severity={alarm.severity} unseen={unseen} />
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Link
          component={RouterLink}
          to={`/alarms?open=${alarm.id}${list}`}
          color="text.primary"
          sx={{ fontWeight: unseen ? 600 : 400 }}
        >
          {subjectOf(alarm)}
        </Link>
        <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
          {t(`common:severity.${alarm.severity}`)} · {t(`status.${alarm.status}`)} · {certainty(alarm)}
        </Box>
      </Box>
      <Box sx={{ color: 'text.secondary' }}>
        <Ago at={alarm.triggeredAt} />
      </Box>
    </Box>
  );
}
