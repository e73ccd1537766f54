import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Typography from '@mui/material/Typography';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  title: string;
  /** What is said below the title. */
  text?: string;
  preferences: ReactNode;
  children: ReactNode;
}

/** A page for those who are not signed in: the product's name and one card. */
export function EntrancePage({ title, text, preferences, children }: Props) {
  const { t } = useTranslation('auth');
  useEffect(() => {
    document.title = `${title} · Foresight`;
  }, [title]);
  return (
    <Box component="main" sx={{ minHeight: '100dvh', display: 'flex', flexDirection: 'column', p: 2 }}>
      <Box sx={{ display: 'flex', justifyContent: 'flex-end', gap: 1 }}>{preferences}</Box>
      <Box sx={{ flex: 1, display: 'grid', placeItems: 'center' }}>
        <Box sx={{ width: 'min(380px, 100%)' }}>
          <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.5, mb: 3 }}>
            <img src="/icon.svg" alt="" width={36} height={36} />
            <Box>
              <Typography component="p" sx={{ fontSize: 20, fontWeight: 600, lineHeight: 1.2 }}>
                {t('product')}
              </Typography>
              <Typography variant="caption" color="text.secondary">
                {t('promise')}
              </Typography>
            </Box>
          </Box>
          <Paper variant="outlined" sx={{ p: 3 }}>
            <Typography variant="h1" sx={{ mb: 2 }}>
              {title}
            </Typography>
            {text ? <Typography sx={{ mb: 2 }}>{text}</Typography> : null}
            {children}
          </Paper>
        </Box>
      </Box>
    </Box>
  );
}
