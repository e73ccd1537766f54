import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { assetName } from '@/shared/domain/assetName';
import { Ago } from '@/shared/ui/Ago';
import { ProbabilityBar } from '@/shared/ui/ProbabilityBar';
import { Message, RowsSkeleton } from '@/shared/ui/states';
import { LoadFailed } from './LoadFailed';
import { newestByAsset } from './runs';
import { usePredictions } from './usePredictions';

/** The newest abnormal prediction of each machine, as they are made. */
export function LatestAbnormal({ limit = 6, siteId }: { limit?: number; siteId: string | null }) {
  const { t } = useTranslation('predictions');
  const { predictions, failed, again } = usePredictions(siteId ? { siteId } : {}, true);
  if (!predictions) return failed ? <LoadFailed onRetry={again} /> : <RowsSkeleton rows={4} />;
  if (predictions.length === 0)
    return <Message icon="check" title={t('latest.empty.title')} text={t('latest.empty.text')} />;
  return (
    <Box component="ul" aria-label={t('latest.label')} sx={{ listStyle: 'none', m: 0, p: 0 }}>
      {newestByAsset(predictions)
        .slice(0, limit)
        .map((one) => (
          <Box
            component="li"
            key={one.assetId}
            sx={{ px: 2, py: 0.75, borderTop: 1, borderColor: 'divider' }}
          >
            <Box sx={{ display: 'flex', gap: 1, alignItems: 'baseline' }}>
              <Link
                component={RouterLink}
                to={`/assets/${one.assetId}`}
                color="text.primary"
                sx={{
                  flex: 1,
                  minWidth: 0,
                  overflow: 'hidden',
                  textOverflow: 'ellipsis',
                  whiteSpace: 'nowrap',
                }}
              >
                {one.asset ? assetName(one.asset) : t('gone')}
              </Link>
              <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
                <Ago at={one.timestamp} />
              </Box>
            </Box>
            <ProbabilityBar label={one.label} value={one.probability} />
          </Box>
        ))}
    </Box>
  );
}
