import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/shared/format/react';
import type { AlarmStatus } from './documents';

interface Transition {
  seq: number;
  to: AlarmStatus;
  note: string | null;
  at: string;
  by: { fullName: string } | null;
}

/** Everything that happened to an alarm, the newest first. */
export function Transitions({ items }: { items: Transition[] }) {
  const { t } = useTranslation('alarms');
  const id = useId();
  const format = useFormat();
  return (
    <Box component="section" aria-labelledby={id}>
      <Typography id={id} variant="h3" component="h3" sx={{ mb: 1 }}>
        {t('panel.history')}
      </Typography>
      <Box
        component="ol"
        sx={{ listStyle: 'none', m: 0, p: 0, borderInlineStart: '2px solid var(--mui-palette-divider)' }}
      >
        {[...items].reverse().map((item) => (
          <Box component="li" key={item.seq} sx={{ paddingInlineStart: 1.5, pb: 1.25 }}>
            <Box sx={{ fontWeight: 600 }}>{t(`transition.${item.to}`)}</Box>
            <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
              {item.by?.fullName ?? t('panel.byProduct')} · {format.absolute(item.at)}
            </Box>
            {item.note ? <Box>{item.note}</Box> : null}
          </Box>
        ))}
      </Box>
    </Box>
  );
}
