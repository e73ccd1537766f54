import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/shared/format/react';

interface Contribution {
  feature: string;
  label: string;
  unit: string | null;
  value: number | null;
  contribution: number;
}

interface Props {
  status: 'PENDING' | 'READY' | 'UNAVAILABLE' | null;
  explanation: { label: string; others: number; features: Contribution[] } | null;
}

/** Why the model named the fault: what spoke for it and what against, the strongest first. */
export function Explanation({ status, explanation }: Props) {
  const { t } = useTranslation('alarms');
  const id = useId();
  if (!status) return null;
  return (
    <Box component="section" aria-labelledby={id}>
      <Typography id={id} variant="h3" component="h3" sx={{ mb: 1 }}>
        {t('why.title')}
      </Typography>
      {explanation ? (
        <Bars explanation={explanation} />
      ) : (
        <Typography color="text.secondary">
          {t(status === 'PENDING' ? 'why.pending' : 'why.unavailable')}
        </Typography>
      )}
    </Box>
  );
}

function Bars({ explanation }: { explanation: NonNullable<Props['explanation']> }) {
  const { t } = useTranslation('alarms');
  const format = useFormat();
  const { features, others, label } = explanation;
  const most = Math.max(...features.map((one) => Math.abs(one.contribution)), Math.abs(others), 1e-9);
  return (
    <>
      <Typography variant="caption" color="text.secondary" component="p" sx={{ mb: 1 }}>
        {t('why.legend', { fault: label })}
      </Typography>
      <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, display: 'grid', gap: 1 }}>
        {features.map((one) => (
          <Bar
            key={one.feature}
            name={one.label}
            value={one.value === null ? t('why.missing') : format.measure(one.value, one.unit ?? undefined)}
            contribution={one.contribution}
            most={most}
          />
        ))}
        <Bar name={t('why.others')} contribution={others} most={most} />
      </Box>
    </>
  );
}

/** One line: what it is, how strong it spoke, and a bar from the middle: forwards for, backwards against. */
function Bar(props: { name: string; value?: string; contribution: number; most: number }) {
  const { t } = useTranslation('alarms');
  const format = useFormat();
  const { name, value, contribution, most } = props;
  const speaksFor = contribution >= 0;
  const strength = format.measure(Math.abs(contribution));
  return (
    <Box component="li">
      <Box sx={{ display: 'grid', gridTemplateColumns: 'minmax(0, 1fr) max-content', columnGap: 1 }}>
        <Box sx={{ overflowWrap: 'anywhere' }}>
          {name}
          {value === undefined ? null : (
            <Box component="span" sx={{ color: 'text.secondary' }}>
              {' · '}
              {value}
            </Box>
          )}
        </Box>
        <Box sx={{ fontVariantNumeric: 'tabular-nums', textAlign: 'end' }}>
          {t(speaksFor ? 'why.for' : 'why.against', { strength })}
        </Box>
      </Box>
      <Box aria-hidden sx={{ position: 'relative', height: 6, mt: 0.5, borderRadius: 1, bgcolor: 'divider' }}>
        <Box
          sx={{
            position: 'absolute',
            insetBlock: 0,
            borderRadius: 1,
            boxSizing: 'border-box',
            ...(speaksFor
              ? { insetInlineStart: '50%', bgcolor: 'text.secondary' }
              : { insetInlineEnd: '50%', border: '1px solid', borderColor: 'text.secondary' }),
          }}
          style={{ width: `${(Math.abs(contribution) / most) * 50}%` }}
        />
      </Box>
    </Box>
  );
}
