import Box from '@mui/material/Box';
import { useFormat, useNow } from '@/shared/format/react';

interface Props {
  at: string;
  /** Age in seconds from which the value it belongs to is greyed. */
  staleAfter?: number;
}

/** How long ago, with the time itself on hover. */
export function Ago({ at, staleAfter }: Props) {
  const format = useFormat();
  const now = useNow();
  const stale = staleAfter !== undefined && now - Date.parse(at) > staleAfter * 1000;
  return (
    <Box
      component="time"
      dateTime={at}
      title={format.absolute(at)}
      sx={{
        color: stale ? 'text.secondary' : undefined,
        fontStyle: stale ? 'italic' : undefined,
        whiteSpace: 'nowrap',
      }}
    >
      {format.relative(at, Math.max(now, Date.parse(at)))}
    </Box>
  );
}
