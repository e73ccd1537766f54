import Box from '@mui/material/Box';

const unseen = {
  position: 'absolute',
  width: '1px',
  height: '1px',
  margin: '-1px',
  padding: 0,
  overflow: 'hidden',
  clipPath: 'inset(50%)',
  whiteSpace: 'nowrap',
  border: 0,
} as const;

/** Says its text to people who listen instead of looking, whenever it changes. */
export function Announcer({ text, urgent = false }: { text: string; urgent?: boolean }) {
  return (
    <Box role={urgent ? 'alert' : 'status'} aria-live={urgent ? 'assertive' : 'polite'} sx={unseen}>
      {text}
    </Box>
  );
}
