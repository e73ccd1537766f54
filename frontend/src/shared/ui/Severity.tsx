import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';
import type { Severity } from '@/shared/domain/severity';

const look: Record<
  Severity,
  { path: string; token: 'critical' | 'high' | 'medium' | 'low'; outline?: true }
> = {
  CRITICAL: { path: 'M8 0.800L15.200 8L8 15.200L0.800 8z', token: 'critical' },
  HIGH: { path: 'M8 1.500L15.500 14.500H0.500z', token: 'high' },
  MEDIUM: { path: 'M2 2h12v12H2z', token: 'medium' },
  LOW: { path: 'M8 2.500a5.500 5.500 0 1 0 0 11a5.500 5.500 0 0 0 0-11z', token: 'low', outline: true },
};

interface MarkProps {
  severity: Severity;
  size?: number;
  /** Pulses slowly: nobody has seen it yet. */
  unseen?: boolean;
}

/** The shape of a severity, for places where its word stands beside it. */
export function SeverityMark({ severity, size = 14, unseen = false }: MarkProps) {
  const { path, token, outline } = look[severity];
  return (
    <Box
      component="svg"
      viewBox="0 0 16 16"
      aria-hidden
      sx={{
        width: size,
        height: size,
        flex: 'none',
        color: `signal.${token}`,
        fill: outline ? 'none' : 'currentColor',
        stroke: outline ? 'currentColor' : 'none',
        strokeWidth: 2.2,
        '@keyframes unseen': { '50%': { opacity: 0.35 } },
        '@media (prefers-reduced-motion: no-preference)': {
          animation: unseen ? 'unseen 2s ease-in-out infinite' : undefined,
        },
      }}
    >
      <path d={path} />
    </Box>
  );
}

/** Shape, colour and word of a severity. */
export function SeverityLabel(props: MarkProps) {
  const { t } = useTranslation('common');
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 1, whiteSpace: 'nowrap' }}>
      <SeverityMark {...props} />
      {t(`severity.${props.severity}`)}
    </Box>
  );
}

/** Grey tick and word: nothing to do here. */
export function HealthyLabel() {
  const { t } = useTranslation('common');
  return (
    <Box
      component="span"
      sx={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 1,
        color: 'text.secondary',
        whiteSpace: 'nowrap',
      }}
    >
      <Box
        component="svg"
        viewBox="0 0 16 16"
        aria-hidden
        sx={{ width: 14, height: 14, fill: 'none', stroke: 'currentColor', strokeWidth: 2 }}
      >
        <path d="M2.500 8.500l3.500 3.500L13.500 4.500" />
      </Box>
      {t('severity.none')}
    </Box>
  );
}
