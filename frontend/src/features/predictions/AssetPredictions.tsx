import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Ago } from '@/shared/ui/Ago';
import { ProbabilityBar } from '@/shared/ui/ProbabilityBar';
import { Message, RowsSkeleton } from '@/shared/ui/states';
import type { Prediction } from './documents';
import { LoadFailed } from './LoadFailed';
import { runsOf, type Run } from './runs';
import { usePredictions } from './usePredictions';

const SHOWN = 6;

interface Props {
  assetId: string;
  /** What people say of a prediction. */
  feedback: (prediction: Prediction) => ReactNode;
}

/** What the model says of a machine now, what to do, and what it said before. */
export function AssetPredictions({ assetId, feedback }: Props) {
  const { t } = useTranslation('predictions');
  const { predictions, failed, again } = usePredictions({ assetId }, false);
  if (!predictions) return failed ? <LoadFailed onRetry={again} /> : <RowsSkeleton rows={4} />;
  const [newest] = predictions;
  if (!newest) return <Message icon="overview" title={t('asset.empty.title')} text={t('asset.empty.text')} />;
  const runs = runsOf(predictions);
  return (
    <>
      <Newest prediction={newest} feedback={feedback} />
      {runs.length > 1 ? (
        <>
          <Typography variant="h3" component="h3" sx={{ px: 2, pt: 2, pb: 0.5 }}>
            {t('asset.before')}
          </Typography>
          <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
            {runs.slice(1, SHOWN + 1).map((run) => (
              <Earlier key={run.newest.id} run={run} />
            ))}
          </Box>
        </>
      ) : null}
    </>
  );
}

function Newest({ prediction, feedback }: Pick<Props, 'feedback'> & { prediction: Prediction }) {
  const { t } = useTranslation('predictions');
  return (
    <Box sx={{ px: 2, display: 'flex', flexDirection: 'column', gap: 1 }}>
      <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
        <Ago at={prediction.timestamp} staleAfter={300} /> · {prediction.modelVersion}
        {prediction.outOfDistribution ? ` · ${t('outOfDistribution')}` : null}
      </Box>
      {prediction.top.map((fault, place) => (
        <ProbabilityBar key={fault.code} label={fault.label} value={fault.probability} strong={place === 0} />
      ))}
      {prediction.code === 'normal' ? null : (
        <Box
          sx={{
            borderInlineStart: '3px solid',
            borderInlineStartColor: 'var(--mui-palette-primary-main)',
            paddingInlineStart: 1.5,
          }}
        >
          <Typography variant="h3" component="h3">
            {t('whatToDo')}
          </Typography>
          <Typography>{prediction.recommendedAction}</Typography>
        </Box>
      )}
      {feedback(prediction)}
    </Box>
  );
}

function Earlier({ run }: { run: Run }) {
  const { t } = useTranslation('predictions');
  return (
    <Box component="li" sx={{ px: 2, py: 0.75, borderTop: 1, borderColor: 'divider' }}>
      <ProbabilityBar label={run.newest.label} value={run.highest} />
      <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
        <Ago at={run.newest.timestamp} /> · {t('times', { count: run.count })}
      </Box>
    </Box>
  );
}
