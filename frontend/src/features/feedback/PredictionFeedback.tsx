import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import { kindOf } from '@/shared/graph/errors';
import { usePermission } from '@/shared/session/react';
import { notify } from '@/shared/ui/notices';
import { submitFeedbackDocument, type Said } from './documents';
import { OtherFault } from './OtherFault';

interface Props {
  predictionId: string;
  /** Code of the fault that was predicted. */
  code: string;
}

/** Lets people who may say whether a prediction was right; models learn from it. */
export function PredictionFeedback(prediction: Props) {
  return usePermission('predictions:write') ? <Question {...prediction} /> : null;
}

function Question({ predictionId, code }: Props) {
  const { t } = useTranslation(['feedback', 'common']);
  const client = useClient();
  const heading = useId();
  const [said, setSaid] = useState<{ of: string; type: Said['type'] } | null>(null);
  // The one that is being corrected stays the same while newer ones come in.
  const [corrected, setCorrected] = useState<Props | null>(null);
  const [busy, setBusy] = useState(false);

  async function say(of: string, what: Said) {
    setBusy(true);
    const input = { items: [{ predictionId: of, ...what }] };
    const { data, error } = await client.mutation(submitFeedbackDocument, { input }).toPromise();
    setBusy(false);
    const refusal = error
      ? t(`common:error.${kindOf(error)}.action`)
      : data?.submitFeedback.userErrors[0]?.message;
    if (refusal) {
      notify({ tone: 'error', text: t('failed', { reason: refusal }) });
      return;
    }
    setSaid({ of, type: what.type });
    setCorrected(null);
    notify({ tone: 'success', text: t('done') });
  }

  const answer = (type: Said['type']) => {
    const pressed = said?.of === predictionId && said.type === type;
    return {
      size: 'small' as const,
      variant: pressed ? ('contained' as const) : ('outlined' as const),
      'aria-pressed': pressed,
      disabled: busy,
    };
  };
  return (
    <Box component="section" aria-labelledby={heading}>
      <Typography id={heading} variant="h3" component="h3" sx={{ mb: 1 }}>
        {t('question')}
      </Typography>
      <Box sx={{ display: 'flex', gap: 1, flexWrap: 'wrap' }}>
        <Button {...answer('CORRECT')} onClick={() => void say(predictionId, { type: 'CORRECT' })}>
          {t('right')}
        </Button>
        {code === 'normal' ? null : (
          <Button
            {...answer('FALSE_POSITIVE')}
            onClick={() => void say(predictionId, { type: 'FALSE_POSITIVE' })}
          >
            {t('noFault')}
          </Button>
        )}
        <Button
          {...answer('CORRECTION')}
          aria-expanded={corrected !== null}
          onClick={() => setCorrected(corrected ? null : { predictionId, code })}
        >
          {t('other')}
        </Button>
      </Box>
      {corrected ? (
        <OtherFault
          not={corrected.code}
          busy={busy}
          onChoose={(chosen) => void say(corrected.predictionId, { type: 'CORRECTION', code: chosen })}
        />
      ) : null}
    </Box>
  );
}
