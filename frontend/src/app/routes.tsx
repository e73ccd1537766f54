import { lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { NotFound } from './NotFound';
import { SignedInAlready } from './SignedInAlready';

const Overview = lazy(() => import('./pages/Overview').then((page) => ({ default: page.Overview })));
const AssetDetail = lazy(() => import('./pages/AssetDetail').then((page) => ({ default: page.AssetDetail })));
const AssetsPage = lazy(() =>
  import('@/features/assets/pages').then((page) => ({ default: page.AssetsPage })),
);
const AssetFormPage = lazy(() =>
  import('@/features/assets/AssetFormPage').then((page) => ({ default: page.AssetFormPage })),
);
const Alarms = lazy(() => import('./pages/Alarms').then((page) => ({ default: page.Alarms })));
const RulesPage = lazy(() =>
  import('@/features/rules/RulesPage').then((page) => ({ default: page.RulesPage })),
);
const RuleFormPage = lazy(() =>
  import('@/features/rules/RuleFormPage').then((page) => ({ default: page.RuleFormPage })),
);

/** Every page and its address. */
export function Pages() {
  return (
    <Routes>
      <Route index element={<Overview />} />
      <Route path="assets" element={<AssetsPage />} />
      <Route path="assets/new" element={<AssetFormPage />} />
      <Route path="assets/:id" element={<AssetDetail />} />
      <Route path="assets/:id/edit" element={<AssetFormPage />} />
      <Route path="alarms" element={<Alarms />} />
      <Route path="rules" element={<RulesPage />} />
      <Route path="rules/new" element={<RuleFormPage />} />
      <Route path="rules/:id" element={<RuleFormPage />} />
      <Route path="accept-invite" element={<SignedInAlready />} />
      <Route path="welcome" element={<SignedInAlready />} />
      <Route path="reset-password" element={<SignedInAlready />} />
      <Route path="forgot-password" element={<Navigate to="/" replace />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}
