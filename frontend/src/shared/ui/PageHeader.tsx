import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useEffect, type ReactNode } from 'react';

interface Props {
  title: string;
  /** What stands under the title: state, counts. */
  note?: ReactNode;
  actions?: ReactNode;
}

/** The heading of a page, which also names the browser's tab. */
export function PageHeader({ title, note, actions }: Props) {
  useEffect(() => {
    document.title = `${title} · Foresight`;
  }, [title]);
  return (
    <Box sx={{ display: 'flex', alignItems: 'flex-start', gap: 2, mb: 2, flexWrap: 'wrap' }}>
      <Box sx={{ flex: 1, minWidth: 200 }}>
        <Typography variant="h1">{title}</Typography>
        {note ? (
          <Typography component="div" color="text.secondary" sx={{ mt: 0.5 }}>
            {note}
          </Typography>
        ) : null}
      </Box>
      {actions ? <Box sx={{ display: 'flex', gap: 1, flexWrap: 'wrap' }}>{actions}</Box> : null}
    </Box>
  );
}
