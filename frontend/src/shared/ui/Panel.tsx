import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Typography from '@mui/material/Typography';
import { useId, type ReactNode } from 'react';

interface Props {
  title: ReactNode;
  /** Controls at the end of the title line. */
  actions?: ReactNode;
  children: ReactNode;
  /** No inner margin, for tables and lists that reach the border. */
  flush?: boolean;
}

/** A titled part of a page; the title names the region. */
export function Panel({ title, actions, children, flush = false }: Props) {
  const id = useId();
  return (
    <Paper
      component="section"
      aria-labelledby={id}
      variant="outlined"
      sx={{ display: 'flex', flexDirection: 'column', minWidth: 0 }}
    >
      <Box
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: 1,
          px: 2,
          py: 0.75,
          minHeight: 48,
          flexWrap: 'wrap',
        }}
      >
        <Typography id={id} variant="h2" sx={{ flex: 1, minWidth: 0 }}>
          {title}
        </Typography>
        {actions}
      </Box>
      <Box sx={flush ? { minWidth: 0 } : { px: 2, pt: actions ? 1.5 : 0, pb: 2, minWidth: 0 }}>
        {children}
      </Box>
    </Paper>
  );
}
