import { useTranslation } from 'react-i18next';
import { useFormat } from '@/shared/format/react';
import { useViewer } from '@/shared/session/react';
import { Ago } from '@/shared/ui/Ago';
import { Facts } from '@/shared/ui/Facts';
import type { AssetDetail } from './documents';
import { SILENT_AFTER } from './vocabulary';

/** What is known of a machine. */
export function AssetFacts({ asset }: { asset: AssetDetail }) {
  const { t } = useTranslation(['assets', 'common']);
  const format = useFormat();
  const { tenant } = useViewer();
  return (
    <Facts
      items={[
        [t('field.code'), asset.code],
        [t('field.type'), t(`common:assetType.${asset.type}`)],
        [t('field.criticality'), t(`common:severity.${asset.criticality}`)],
        [t('field.site'), asset.site.name],
        [t('field.location'), asset.location],
        [t('field.parent'), asset.parent?.name],
        [t('field.manufacturer'), asset.manufacturer],
        [t('field.model'), asset.model],
        [t('field.serialNumber'), asset.serialNumber],
        [t('field.installedOn'), asset.installedOn && format.date(asset.installedOn)],
        [
          t('field.ratedPowerKw'),
          asset.ratedPowerKw === null ? null : format.measure(asset.ratedPowerKw, 'kW'),
        ],
        [t('field.isoMachineGroup'), asset.isoMachineGroup && t(`iso.${asset.isoMachineGroup}`)],
        [t('field.isoSupportType'), asset.isoSupportType && t(`iso.${asset.isoSupportType}`)],
        [
          t('field.downtimeCostPerHour'),
          asset.downtimeCostPerHour === null
            ? null
            : format.money(asset.downtimeCostPerHour, tenant.currency),
        ],
        [
          t('field.lastSeen'),
          asset.lastSeenAt ? <Ago key="seen" at={asset.lastSeenAt} staleAfter={SILENT_AFTER} /> : t('never'),
        ],
      ]}
    />
  );
}
