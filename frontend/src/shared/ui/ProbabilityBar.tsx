import Box from '@mui/material/Box';
import { useFormat } from '@/shared/format/react';

interface Props {
  label: string;
  /** 0-1. */
  value: number;
  strong?: boolean;
}

/** One outcome with its probability as a bar and as a number. */
export function ProbabilityBar({ label, value, strong = false }: Props) {
  const format = useFormat();
  return (
    <Box
      sx={{ display: 'grid', gridTemplateColumns: 'minmax(0, 1fr) 96px 48px', alignItems: 'center', gap: 1 }}
    >
      <Box
        component="span"
        sx={{
          overflow: 'hidden',
          textOverflow: 'ellipsis',
          whiteSpace: 'nowrap',
          fontWeight: strong ? 600 : 400,
          color: strong ? 'text.primary' : 'text.secondary',
        }}
        title={label}
      >
        {label}
      </Box>
      <Box
        role="meter"
        aria-label={label}
        aria-valuenow={Math.round(value * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        sx={{ height: 6, borderRadius: 3, bgcolor: 'divider', overflow: 'hidden' }}
      >
        <Box
          sx={{
            height: 1,
            bgcolor: strong ? 'text.primary' : 'text.secondary',
            opacity: strong ? 0.85 : 0.5,
          }}
          style={{ width: `${value * 100}%` }}
        />
      </Box>
      <Box component="span" sx={{ textAlign: 'end' }}>
        {format.percent(value)}
      </Box>
    </Box>
  );
}
