import Box from '@mui/material/Box';
import useMediaQuery from '@mui/material/useMediaQuery';
import { useTheme } from '@mui/material/styles';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'react-router';
import { AlarmStreamProvider } from '@/features/alarms';
import { ErrorBoundary } from '@/shared/ui/ErrorBoundary';
import { RowsSkeleton } from '@/shared/ui/states';
import { Pages } from '../routes';
import { LinkBanner } from './LinkBanner';
import { Navigation } from './Navigation';
import { SystemBanner } from './SystemBanner';
import { TopBar } from './TopBar';
import { useStored } from './useStored';

// Only narrow screens need it.
const Drawer = lazy(() => import('@mui/material/Drawer'));

const WIDE = 208;
const NARROW = 56;

/** The frame around every page: navigation, top bar, and the page in its own boundary. */
export function Shell() {
  const { t } = useTranslation('app');
  const theme = useTheme();
  const desktop = useMediaQuery(theme.breakpoints.up('md'));
  const { pathname } = useLocation();
  const [open, setOpen] = useState(false);
  const [collapsed, setCollapsed] = useStored('foresight.navigation', false);
  const width = collapsed ? NARROW : WIDE;
  return (
    <AlarmStreamProvider>
      <Box
        component="a"
        href="#page"
        sx={{
          position: 'absolute',
          insetInlineStart: 8,
          top: -60,
          zIndex: 2000,
          p: 1,
          bgcolor: 'background.paper',
          color: 'primary.main',
          '&:focus': { top: 8 },
        }}
      >
        {t('skip')}
      </Box>
      {desktop ? (
        <Box
          sx={{
            position: 'fixed',
            insetBlock: 0,
            insetInlineStart: 0,
            width,
            borderInlineEnd: '1px solid var(--mui-palette-divider)',
            bgcolor: 'background.paper',
          }}
        >
          <Navigation collapsed={collapsed} onCollapse={() => setCollapsed(!collapsed)} />
        </Box>
      ) : (
        <Suspense fallback={null}>
          <Drawer open={open} onClose={() => setOpen(false)} slotProps={{ paper: { sx: { width: 240 } } }}>
            <Navigation collapsed={false} onChosen={() => setOpen(false)} />
          </Drawer>
        </Suspense>
      )}
      <Box sx={{ paddingInlineStart: desktop ? `${width}px` : 0, minHeight: '100dvh' }}>
        <TopBar onMenu={desktop ? undefined : () => setOpen(true)} />
        <LinkBanner />
        <SystemBanner />
        <Box
          component="main"
          id="page"
          tabIndex={-1}
          sx={{
            p: { xs: 1.5, sm: 2 },
            maxWidth: pathname === '/' ? undefined : 1600,
            mx: 'auto',
            outline: 'none',
          }}
        >
          <ErrorBoundary resetKey={pathname}>
            <Suspense fallback={<RowsSkeleton rows={8} />}>
              <Pages />
            </Suspense>
          </ErrorBoundary>
        </Box>
      </Box>
    </AlarmStreamProvider>
  );
}
