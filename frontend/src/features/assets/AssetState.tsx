import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import { HealthyLabel, SeverityLabel } from '@/shared/ui/Severity';
import type { AssetRow } from './documents';

/** The worst active alarm of an asset and how many there are, or that there is none. */
export function AssetState({ asset }: { asset: Pick<AssetRow, 'worstSeverity' | 'activeAlarmCount'> }) {
  const { t } = useTranslation('assets');
  if (!asset.worstSeverity) return <HealthyLabel />;
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 1 }}>
      <SeverityLabel severity={asset.worstSeverity} />
      {asset.activeAlarmCount > 1 ? (
        <Box
          component="span"
          sx={{ color: 'text.secondary' }}
          aria-label={t('alarms', { count: asset.activeAlarmCount })}
        >
          ×{asset.activeAlarmCount}
        </Box>
      ) : null}
    </Box>
  );
}
