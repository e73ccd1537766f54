import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { assetName } from '@/shared/domain/assetName';
import { useFormat } from '@/shared/format/react';
import { SeverityMark } from '@/shared/ui/Severity';
import { Message } from '@/shared/ui/states';
import type { Dashboard } from './documents';

/** The machines that need a person most, the worst first. */
export function WorstAssets({ assets }: { assets: Dashboard['worstAssets'] }) {
  const { t } = useTranslation(['overview', 'common']);
  const format = useFormat();
  if (assets.length === 0) return <Message icon="check" title={t('worst.empty')} />;
  return (
    <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
      {assets.map((asset) => (
        <Box
          component="li"
          key={asset.id}
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
          {asset.worstSeverity ? <SeverityMark severity={asset.worstSeverity} /> : null}
          <Box sx={{ flex: 1, minWidth: 0 }}>
            <Link component={RouterLink} to={`/assets/${asset.id}`} color="text.primary">
              {assetName(asset)}
            </Link>
            <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
              {asset.worstSeverity ? `${t(`common:severity.${asset.worstSeverity}`)} · ` : null}
              {t('worst.alarms', { count: asset.activeAlarmCount })} · {asset.site.name}
            </Box>
          </Box>
          {asset.latestPrediction && asset.latestPrediction.code !== 'normal' ? (
            <Box sx={{ textAlign: 'end', color: 'text.secondary' }}>
              {asset.latestPrediction.label}
              <Box sx={{ fontSize: 12 }}>{format.percent(asset.latestPrediction.probability)}</Box>
            </Box>
          ) : null}
        </Box>
      ))}
    </Box>
  );
}
