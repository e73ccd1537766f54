import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { usePermission } from '@/shared/session/react';
import { SeverityMark } from '@/shared/ui/Severity';
import { Message } from '@/shared/ui/states';
import { useAlarmActions } from './actions';
import { useActiveAlarms } from './AlarmStream';
import type { Alarm } from './documents';
import { useSentence } from './sentence';
import { isUnseen } from './status';

/** The newest active alarms, as they come. */
export function AlarmFeed({ limit = 8, siteId }: { limit?: number; siteId: string | null }) {
  const { t } = useTranslation('alarms');
  const all = useActiveAlarms();
  const alarms = siteId ? all.filter((alarm) => alarm.site.id === siteId) : all;
  if (alarms.length === 0)
    return <Message icon="check" title={t('feed.empty.title')} text={t('feed.empty.text')} />;
  return (
    <Box component="ul" aria-label={t('feed.label')} sx={{ listStyle: 'none', m: 0, p: 0 }}>
      {alarms.slice(0, limit).map((alarm) => (
        <FeedItem key={alarm.id} alarm={alarm} />
      ))}
      {alarms.length > limit ? (
        <Box component="li" sx={{ px: 2, py: 1.25, borderTop: 1, borderColor: 'divider' }}>
          <Link component={RouterLink} to={siteId ? `/alarms?site=${siteId}` : '/alarms'}>
            {t('feed.more', { count: alarms.length - limit })}
          </Link>
        </Box>
      ) : null}
    </Box>
  );
}

function FeedItem({ alarm }: { alarm: Alarm }) {
  const { t } = useTranslation(['alarms', 'common']);
  const id = useId();
  const mayAct = usePermission('alarms:acknowledge');
  const { acknowledge } = useAlarmActions();
  const sentence = useSentence();
  const unseen = isUnseen(alarm.status);
  return (
    <Box
      component="li"
      sx={{
        display: 'flex',
        alignItems: 'center',
        gap: 1.5,
        px: 2,
        py: 0.75,
        minHeight: 48,
        borderTop: 1,
        borderColor: 'divider',
      }}
    >
      <SeverityMark severity={alarm.severity} unseen={unseen} />
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Link
          id={id}
          component={RouterLink}
          to={`/alarms?open=${alarm.id}`}
          color="text.primary"
          sx={{ fontWeight: unseen ? 600 : 400 }}
        >
          {sentence(alarm)}
        </Link>
        <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
          {t(`common:severity.${alarm.severity}`)} · {t(`status.${alarm.status}`)} · {alarm.site.name}
        </Box>
      </Box>
      {unseen && mayAct ? (
        <Button
          size="small"
          variant="outlined"
          color="inherit"
          aria-describedby={id}
          sx={{ flex: 'none', borderColor: 'divider' }}
          onClick={() => void acknowledge([alarm.id])}
        >
          {t('acknowledge.button')}
        </Button>
      ) : null}
    </Box>
  );
}
