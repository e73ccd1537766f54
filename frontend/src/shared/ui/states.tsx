import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Skeleton from '@mui/material/Skeleton';
import Typography from '@mui/material/Typography';
import type { CombinedError } from '@urql/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { kindOf, requestIdOf, type ErrorKind } from '@/shared/graph/errors';
import { Icon, type IconName } from './icons';

interface MessageProps {
  icon: IconName;
  title: string;
  text?: string;
  action?: ReactNode;
}

/** What a place says instead of its content: what it is, why it is so, the one next step. */
export function Message({ icon, title, text, action }: MessageProps) {
  return (
    <Box
      sx={{
        display: 'flex',
        flexDirection: 'column',
        alignItems: 'center',
        textAlign: 'center',
        gap: 1,
        py: 4,
        px: 2,
        color: 'text.secondary',
      }}
    >
      <Icon name={icon} fontSize="medium" />
      <Typography component="p" variant="h3" color="text.primary">
        {title}
      </Typography>
      {text ? <Typography sx={{ maxWidth: 440 }}>{text}</Typography> : null}
      {action}
    </Box>
  );
}

const icons: Record<ErrorKind, IconName> = {
  network: 'unplugged',
  forbidden: 'lock',
  notFound: 'compass',
  rateLimited: 'warning',
  server: 'warning',
};

interface ErrorProps {
  error: CombinedError;
  onRetry?: () => void;
}

/** A request that failed and left nothing to show. */
export function ErrorState({ error, onRetry }: ErrorProps) {
  const { t } = useTranslation('common');
  const kind = kindOf(error);
  const id = requestIdOf(error);
  const retry = onRetry && kind !== 'forbidden' && kind !== 'notFound';
  return (
    <div role="alert">
      <Message
        icon={icons[kind]}
        title={t(`error.${kind}.title`)}
        text={t(`error.${kind}.text`) + (id ? ` (${id})` : '')}
        action={
          retry ? (
            <Button variant="outlined" size="small" onClick={onRetry}>
              {t('retry')}
            </Button>
          ) : undefined
        }
      />
    </div>
  );
}

/** A request that failed while older data is still on the page. */
export function StaleNotice({ error, onRetry }: ErrorProps) {
  const { t } = useTranslation('common');
  return (
    <Alert
      severity="warning"
      variant="outlined"
      sx={{ mb: 2 }}
      action={
        onRetry ? (
          <Button color="inherit" size="small" onClick={onRetry}>
            {t('retry')}
          </Button>
        ) : undefined
      }
    >
      {t(`error.${kindOf(error)}.stale`)}
    </Alert>
  );
}

/** Lines in the place of rows that are on their way. */
export function RowsSkeleton({ rows = 5, height = 40 }: { rows?: number; height?: number }) {
  const { t } = useTranslation('common');
  return (
    <Box role="status" aria-label={t('loading')} sx={{ px: 2 }}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} variant="text" height={height} width={`${94 - ((row * 17) % 30)}%`} />
      ))}
    </Box>
  );
}
