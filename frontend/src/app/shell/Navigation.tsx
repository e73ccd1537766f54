import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import { useTranslation } from 'react-i18next';
import { NavLink } from 'react-router';
import { useAlarmCounts } from '@/features/alarms';
import { useFormat } from '@/shared/format/react';
import { Icon, type IconName } from '@/shared/ui/icons';

interface Page {
  id: string;
  to: string;
  icon: IconName;
}

const groups: { id: string; pages: Page[] }[] = [
  { id: 'start', pages: [{ id: 'overview', to: '/', icon: 'overview' }] },
  { id: 'plant', pages: [{ id: 'assets', to: '/assets', icon: 'assets' }] },
  {
    id: 'alarms',
    pages: [
      { id: 'alarms', to: '/alarms', icon: 'alarms' },
      { id: 'rules', to: '/rules', icon: 'rules' },
    ],
  },
];

interface Props {
  collapsed: boolean;
  onCollapse?: () => void;
  onChosen?: () => void;
}

/** The pages there are, in groups. */
export function Navigation({ collapsed, onCollapse, onChosen }: Props) {
  const { t } = useTranslation('app');
  return (
    <Box
      component="nav"
      aria-label={t('nav.label')}
      sx={{ height: 1, display: 'flex', flexDirection: 'column', p: 1 }}
    >
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.25, height: 40, px: 1, mb: 1 }}>
        <img src="/icon.svg" alt="" width={24} height={24} />
        {collapsed ? null : <Box sx={{ fontWeight: 600, fontSize: 16 }}>{t('product')}</Box>}
      </Box>
      {groups.map((group) => (
        <Box key={group.id} component="section" aria-label={t(`nav.group.${group.id}`)} sx={{ mb: 1.5 }}>
          {collapsed ? null : (
            <Box aria-hidden sx={{ px: 1, py: 0.5, fontSize: 12, color: 'text.secondary' }}>
              {t(`nav.group.${group.id}`)}
            </Box>
          )}
          {group.pages.map((page) => (
            <PageLink key={page.id} page={page} collapsed={collapsed} onChosen={onChosen} />
          ))}
        </Box>
      ))}
      <Box sx={{ flex: 1 }} />
      {onCollapse ? (
        <IconButton
          size="small"
          aria-label={t(collapsed ? 'nav.expand' : 'nav.collapse')}
          title={t(collapsed ? 'nav.expand' : 'nav.collapse')}
          aria-expanded={!collapsed}
          onClick={onCollapse}
          sx={{ alignSelf: collapsed ? 'center' : 'flex-end' }}
        >
          <Icon name="collapse" />
        </IconButton>
      ) : null}
    </Box>
  );
}

function PageLink({ page, collapsed, onChosen }: { page: Page; collapsed: boolean; onChosen?: () => void }) {
  const { t } = useTranslation('app');
  const name = t(`nav.${page.id}`);
  return (
    <Box
      component={NavLink}
      to={page.to}
      end={page.to === '/'}
      aria-label={name}
      title={collapsed ? name : undefined}
      onClick={onChosen}
      sx={{
        display: 'flex',
        alignItems: 'center',
        gap: 1.25,
        height: 36,
        px: 1,
        borderRadius: 1,
        color: 'text.secondary',
        textDecoration: 'none',
        '&:hover': { bgcolor: 'action.hover' },
        '&.active': { color: 'primary.main', bgcolor: 'action.selected', fontWeight: 600 },
        '&:focus-visible': { outline: 2, outlineColor: 'primary.main' },
      }}
    >
      <Icon name={page.icon} />
      {collapsed ? null : <Box sx={{ flex: 1 }}>{name}</Box>}
      {page.id === 'alarms' && !collapsed ? <Count /> : null}
    </Box>
  );
}

function Count() {
  const format = useFormat();
  const total = Object.values(useAlarmCounts()).reduce((sum, count) => sum + count, 0);
  return total > 0 ? (
    <Box component="span" aria-hidden sx={{ fontSize: 12, fontWeight: 400 }}>
      {format.count(total)}
    </Box>
  ) : null;
}
