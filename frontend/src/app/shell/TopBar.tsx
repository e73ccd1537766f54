import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import { useTranslation } from 'react-i18next';
import { useViewer } from '@/shared/session/react';
import { Icon } from '@/shared/ui/icons';
import { AlarmSummary } from './AlarmSummary';
import { LinkLabel } from './LinkLabel';
import { Person } from './Person';
import { Preferences } from './Preferences';

/** The line over every page: where, whether live, what is in alarm, who. */
export function TopBar({ onMenu }: { onMenu?: () => void }) {
  const { t } = useTranslation('app');
  const { tenant } = useViewer();
  return (
    <Box
      component="header"
      sx={{
        position: 'sticky',
        top: 0,
        zIndex: 'appBar',
        height: 56,
        px: { xs: 1, sm: 2 },
        display: 'flex',
        alignItems: 'center',
        gap: { xs: 0.5, sm: 1.5 },
        bgcolor: 'background.paper',
        borderBottom: 1,
        borderColor: 'divider',
      }}
    >
      {onMenu ? (
        <IconButton aria-label={t('nav.open')} onClick={onMenu}>
          <Icon name="menu" />
        </IconButton>
      ) : null}
      <Box
        sx={{
          fontWeight: 600,
          minWidth: 0,
          overflow: 'hidden',
          textOverflow: 'ellipsis',
          whiteSpace: 'nowrap',
        }}
      >
        {tenant.name}
      </Box>
      <Box sx={{ flex: 1 }} />
      <AlarmSummary />
      <LinkLabel />
      <Preferences />
      <Person />
    </Box>
  );
}
