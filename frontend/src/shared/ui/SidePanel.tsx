import Box from '@mui/material/Box';
import Drawer from '@mui/material/Drawer';
import IconButton from '@mui/material/IconButton';
import Paper from '@mui/material/Paper';
import Typography from '@mui/material/Typography';
import useMediaQuery from '@mui/material/useMediaQuery';
import { useTheme } from '@mui/material/styles';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from './icons';

/** What the panel takes from the list beside it, in px. */
export const PANEL_WIDTH = 416;

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** Details beside a list: next to it on wide screens, over it on narrow ones. */
export function SidePanel({ title, onClose, children }: Props) {
  const { t } = useTranslation('common');
  const theme = useTheme();
  const wide = useMediaQuery(theme.breakpoints.up('lg'));
  const content = (
    <>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, p: 2, pb: 1 }}>
        <Typography variant="h2" sx={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
          {title}
        </Typography>
        <IconButton size="small" aria-label={t('close')} onClick={onClose}>
          <Icon name="close" />
        </IconButton>
      </Box>
      <Box sx={{ px: 2, pb: 2, overflow: 'auto' }}>{children}</Box>
    </>
  );
  if (wide) {
    return (
      <Paper
        component="aside"
        variant="outlined"
        aria-label={title}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onClose();
        }}
        sx={{
          width: 400,
          flex: 'none',
          alignSelf: 'flex-start',
          position: 'sticky',
          top: 72,
          maxHeight: 'calc(100dvh - 96px)',
          overflow: 'auto',
        }}
      >
        {content}
      </Paper>
    );
  }
  return (
    <Drawer
      anchor="right"
      open
      onClose={onClose}
      slotProps={{ paper: { 'aria-label': title, role: 'dialog', sx: { width: 'min(420px, 100vw)' } } }}
    >
      {content}
    </Drawer>
  );
}
