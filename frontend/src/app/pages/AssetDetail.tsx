import { useMemo } from 'react';
import { AssetAlarms, useAssetAlarms } from '@/features/alarms/pages';
import type { AssetDetail as Asset } from '@/features/assets';
import { AssetDetailPage } from '@/features/assets/pages';
import { PredictionFeedback } from '@/features/feedback/pages';
import { AssetPredictions } from '@/features/predictions/pages';
import { useThresholds } from '@/features/rules/pages';
import { TelemetryPanel } from '@/features/telemetry/pages';

/** The page of a machine, put together from the features that know something about it. */
export function AssetDetail() {
  return (
    <AssetDetailPage
      charts={(asset, onSeen) => <Charts key={asset.id} asset={asset} onSeen={onSeen} />}
      predictions={(asset) => (
        <AssetPredictions
          assetId={asset.id}
          feedback={({ id, code }) => <PredictionFeedback predictionId={id} code={code} />}
        />
      )}
      alarms={(asset) => <AssetAlarms assetId={asset.id} />}
    />
  );
}

function Charts({ asset, onSeen }: { asset: Asset; onSeen: (newest: Record<string, string>) => void }) {
  const thresholds = useThresholds(asset);
  const { alarms } = useAssetAlarms(asset.id);
  const markers = useMemo(
    () =>
      (alarms ?? []).map(({ id, severity, triggeredAt }) => ({
        id,
        severity,
        at: Date.parse(triggeredAt) / 1000,
      })),
    [alarms],
  );
  return (
    <TelemetryPanel
      assetId={asset.id}
      sensors={asset.sensors}
      thresholds={thresholds}
      markers={markers}
      onSeen={onSeen}
    />
  );
}
