import { useColorScheme } from '@mui/material/styles';
import { useMemo } from 'react';

export interface ChartColours {
  text: string;
  grid: string;
  threshold: string;
  severity: Record<'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW', string>;
  lines: string[];
}

/** Okabe and Ito's palette, told apart with any colour vision. */
const light = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'];
const dark = ['#56B4E9', '#E69F00', '#2FC79A', '#E29BC4', '#F0E442', '#8FB8DE'];

/** The colours of the scheme as a canvas needs them: resolved. */
export function useChartColours(): ChartColours {
  const { mode, systemMode } = useColorScheme();
  const scheme = (mode === 'system' ? systemMode : mode) ?? 'light';
  return useMemo(() => {
    const style = getComputedStyle(document.documentElement);
    const read = (name: string) => style.getPropertyValue(`--mui-palette-${name}`).trim() || '#808080';
    return {
      text: read('text-secondary'),
      grid: read('divider'),
      threshold: read('text-primary'),
      severity: {
        CRITICAL: read('signal-critical'),
        HIGH: read('signal-high'),
        MEDIUM: read('signal-medium'),
        LOW: read('signal-low'),
      },
      lines: scheme === 'dark' ? dark : light,
    };
  }, [scheme]);
}
