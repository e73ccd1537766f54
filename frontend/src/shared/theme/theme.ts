import { createTheme, type Theme } from '@mui/material/styles';

/** Colours of meaning, beside MUI's own; severity is never told by them alone. */
export interface Signals {
  critical: string;
  high: string;
  medium: string;
  low: string;
  healthy: string;
  band: string;
}

declare module '@mui/material/styles' {
  interface Palette {
    signal: Signals;
  }
  interface PaletteOptions {
    signal?: Signals;
  }
}

const light: Signals = {
  critical: '#C4314B',
  high: '#D9730D',
  medium: '#B58900',
  low: '#4C7A9E',
  healthy: '#6B7683',
  band: 'rgba(27, 36, 48, 0.05)',
};

const dark: Signals = {
  critical: '#F0647B',
  high: '#F0923A',
  medium: '#D6AD2B',
  low: '#7FAED2',
  healthy: '#8D99A8',
  band: 'rgba(230, 234, 240, 0.06)',
};

/** The look of the product in both schemes, for one direction of text. */
export function createAppTheme(direction: 'ltr' | 'rtl'): Theme {
  return createTheme({
    direction,
    cssVariables: { colorSchemeSelector: 'data-theme' },
    colorSchemes: {
      light: {
        palette: {
          primary: { main: '#2459C9', light: '#2F6FED', contrastText: '#FFFFFF' },
          background: { default: '#F7F8FA', paper: '#FFFFFF' },
          text: { primary: '#1B2430', secondary: '#55606E' },
          divider: 'rgba(27, 36, 48, 0.12)',
          error: { main: '#B3263F' },
          warning: { main: '#A85507' },
          signal: light,
        },
      },
      dark: {
        palette: {
          primary: { main: '#6EA8FF', contrastText: '#0B1220' },
          background: { default: '#12161C', paper: '#1A2029' },
          text: { primary: '#E6EAF0', secondary: '#A3AEBB' },
          divider: 'rgba(230, 234, 240, 0.12)',
          // Fainter than MUI's, so that the accent stays legible on what is selected.
          action: { selected: 'rgba(230, 234, 240, 0.1)' },
          error: { main: '#F0647B' },
          warning: { main: '#F0923A' },
          signal: dark,
        },
      },
    },
    shape: { borderRadius: 8 },
    spacing: 8,
    typography: {
      fontFamily: '"Inter Variable", "Noto Sans Arabic", system-ui, sans-serif',
      fontSize: 14,
      fontWeightLight: 400,
      fontWeightRegular: 400,
      fontWeightMedium: 600,
      fontWeightBold: 600,
      h1: { fontSize: 20, fontWeight: 600, lineHeight: 1.3 },
      h2: { fontSize: 16, fontWeight: 600, lineHeight: 1.4 },
      h3: { fontSize: 14, fontWeight: 600, lineHeight: 1.45 },
      body1: { fontSize: 14, lineHeight: 1.45 },
      body2: { fontSize: 14, lineHeight: 1.45 },
      caption: { fontSize: 12, lineHeight: 1.45 },
      button: { textTransform: 'none', fontWeight: 600 },
    },
    components: {
      MuiCssBaseline: {
        styleOverrides: {
          body: { fontVariantNumeric: 'tabular-nums' },
          '@media (prefers-reduced-motion: reduce)': {
            '*, *::before, *::after': {
              animationDuration: '0.01ms !important',
              animationIterationCount: '1 !important',
              transitionDuration: '0.01ms !important',
            },
          },
        },
      },
      MuiButton: { defaultProps: { disableElevation: true, disableRipple: true } },
      MuiButtonBase: { defaultProps: { disableRipple: true } },
      MuiPaper: {
        defaultProps: { elevation: 0 },
        styleOverrides: { root: { backgroundImage: 'none' } },
      },
      MuiFormHelperText: {
        styleOverrides: {
          // Why a field cannot be changed is to be read.
          root: ({ theme }) => ({ '&.Mui-disabled': { color: theme.vars?.palette.text.secondary } }),
        },
      },
      MuiTextField: { defaultProps: { size: 'small', fullWidth: true } },
      MuiLink: { defaultProps: { underline: 'hover' } },
    },
  });
}
