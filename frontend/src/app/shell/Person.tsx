import Box from '@mui/material/Box';
import Divider from '@mui/material/Divider';
import IconButton from '@mui/material/IconButton';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession, useViewer } from '@/shared/session/react';
import { Icon } from '@/shared/ui/icons';

/** Who is signed in, and the way out. */
export function Person() {
  const { t } = useTranslation('app');
  const session = useSession();
  const { user, role, tenant } = useViewer();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <IconButton
        size="small"
        aria-label={t('person.label')}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <Icon name="person" />
      </IconButton>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        <Box component="li" sx={{ px: 2, py: 1 }}>
          <Box sx={{ fontWeight: 600 }}>{user?.fullName}</Box>
          <Box sx={{ fontSize: 12, color: 'text.secondary' }}>{user?.email}</Box>
          <Box sx={{ fontSize: 12, color: 'text.secondary' }}>
            {[tenant.name, role ? t(`role.${role}`) : null].filter(Boolean).join(' · ')}
          </Box>
        </Box>
        <Divider />
        <MenuItem dense onClick={() => void session.signOut().catch(() => undefined)}>
          {t('person.signOut')}
        </MenuItem>
      </Menu>
    </>
  );
}
