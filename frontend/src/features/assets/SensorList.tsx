import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import { Ago } from '@/shared/ui/Ago';
import { Message } from '@/shared/ui/states';
import type { AssetDetail } from './documents';

/** The sensors of a machine and when each last spoke. */
export function SensorList({ sensors }: { sensors: AssetDetail['sensors'] }) {
  const { t } = useTranslation('assets');
  if (sensors.length === 0) return <Message icon="assets" title={t('sensors.empty')} />;
  return (
    <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
      {sensors.map((sensor) => (
        <Box
          component="li"
          key={sensor.id}
          sx={{ display: 'flex', gap: 1, px: 2, py: 0.75, borderTop: 1, borderColor: 'divider' }}
        >
          <Box sx={{ flex: 1, minWidth: 0 }}>
            {sensor.code}
            <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
              {[sensor.type, sensor.mountLocation].filter(Boolean).join(' · ')}
            </Box>
          </Box>
          {sensor.lastSeenAt ? (
            <Ago at={sensor.lastSeenAt} staleAfter={3 * (sensor.expectedIntervalSec ?? 100)} />
          ) : (
            t('never')
          )}
        </Box>
      ))}
    </Box>
  );
}
