import { zodResolver } from '@hookform/resolvers/zod';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useClient } from 'urql';
import { assetTypes } from '@/shared/domain/assetTypes';
import { useSites } from '@/shared/domain/sites';
import { FormAlert } from '@/shared/forms/FormAlert';
import { SelectInput, TextInput } from '@/shared/forms/fields';
import { showUserErrors } from '@/shared/forms/userErrors';
import { kindOf } from '@/shared/graph/errors';
import { useViewer } from '@/shared/session/react';
import { notify } from '@/shared/ui/notices';
import { assetDocument, createAssetDocument, updateAssetDocument, type AssetFields } from './documents';
import { assetFieldNames, assetSchema, typedFrom, type AssetInput, type AssetTyped } from './form';
import { criticalities, machineGroups, supportTypes } from './vocabulary';

/** Adds a machine, or changes the one it is given. */
export function AssetForm({ asset }: { asset: AssetFields | null }) {
  const { t } = useTranslation(['assets', 'common']);
  const client = useClient();
  const navigate = useNavigate();
  const sites = useSites();
  const { tenant } = useViewer();
  const [version, setVersion] = useState(asset?.version ?? 0);
  const [stale, setStale] = useState(false);
  const { control, handleSubmit, setError, reset, formState } = useForm<AssetTyped, unknown, AssetInput>({
    defaultValues: typedFrom(asset),
    resolver: zodResolver(assetSchema),
  });

  const save = handleSubmit(async ({ code, ...rest }) => {
    setStale(false);
    const result = asset
      ? await client
          .mutation(updateAssetDocument, { input: { id: asset.id, expectedVersion: version, ...rest } })
          .toPromise()
      : await client.mutation(createAssetDocument, { input: { code, ...rest } }).toPromise();
    if (result.error) {
      setError('root.server', {
        message: t('form.failed', { reason: t(`common:error.${kindOf(result.error)}.action`) }),
      });
      return;
    }
    const payload =
      result.data && ('updateAsset' in result.data ? result.data.updateAsset : result.data.createAsset);
    if (!payload?.asset) {
      setStale(showUserErrors<AssetTyped>(payload?.userErrors ?? [], assetFieldNames, setError).stale);
      return;
    }
    notify({ tone: 'success', text: t('form.saved', { name: payload.asset.name }) });
    void navigate(`/assets/${payload.asset.id}`);
  });

  async function loadNewer() {
    if (!asset) return;
    const { data } = await client
      .query(assetDocument, { id: asset.id }, { requestPolicy: 'network-only' })
      .toPromise();
    if (!data?.asset) return;
    reset(typedFrom(data.asset), { keepDirtyValues: true });
    setVersion(data.asset.version);
    setStale(false);
  }

  const { errors } = formState;
  const count = Object.keys(errors).filter((name) => name !== 'root').length;
  return (
    <Paper
      component="form"
      noValidate
      variant="outlined"
      onSubmit={(event) => void save(event)}
      sx={{ maxWidth: 640, p: 3, display: 'flex', flexDirection: 'column', gap: 2 }}
    >
      <FormAlert
        message={errors.root?.server?.message}
        count={count}
        stale={stale}
        onLoadNewer={() => void loadNewer()}
      />
      <TextInput control={control} name="name" label={t('field.name')} help={t('help.name')} />
      <TextInput
        control={control}
        name="code"
        label={t('field.code')}
        help={t('help.code')}
        disabled={asset !== null}
      />
      <SelectInput control={control} name="siteId" label={t('field.site')}>
        <option value="">{t('form.choose')}</option>
        {sites.map((site) => (
          <option key={site.id} value={site.id}>
            {site.name}
          </option>
        ))}
      </SelectInput>
      <SelectInput control={control} name="type" label={t('field.type')}>
        {assetTypes.map((value) => (
          <option key={value} value={value}>
            {t(`common:assetType.${value}`)}
          </option>
        ))}
      </SelectInput>
      <SelectInput
        control={control}
        name="criticality"
        label={t('field.criticality')}
        help={t('help.criticality')}
      >
        {criticalities.map((value) => (
          <option key={value} value={value}>
            {t(`common:severity.${value}`)}
          </option>
        ))}
      </SelectInput>
      <TextInput control={control} name="location" label={t('field.location')} />
      <TextInput control={control} name="manufacturer" label={t('field.manufacturer')} />
      <TextInput control={control} name="model" label={t('field.model')} />
      <TextInput control={control} name="serialNumber" label={t('field.serialNumber')} />
      <TextInput control={control} name="installedOn" label={t('field.installedOn')} type="date" />
      <TextInput control={control} name="ratedPowerKw" label={t('field.ratedPowerKw')} unit="kW" numeric />
      <SelectInput
        control={control}
        name="isoMachineGroup"
        label={t('field.isoMachineGroup')}
        help={t('help.iso')}
      >
        <option value="">{t('iso.unknown')}</option>
        {machineGroups.map((value) => (
          <option key={value} value={value}>
            {t(`iso.${value}`)}
          </option>
        ))}
      </SelectInput>
      <SelectInput control={control} name="isoSupportType" label={t('field.isoSupportType')}>
        <option value="">{t('iso.unknown')}</option>
        {supportTypes.map((value) => (
          <option key={value} value={value}>
            {t(`iso.${value}`)}
          </option>
        ))}
      </SelectInput>
      <TextInput
        control={control}
        name="downtimeCostPerHour"
        label={t('field.downtimeCostPerHour')}
        unit={tenant.currency}
        numeric
      />
      <Box sx={{ display: 'flex', gap: 1, justifyContent: 'flex-end' }}>
        <Button color="inherit" onClick={() => void navigate(asset ? `/assets/${asset.id}` : '/assets')}>
          {t('common:cancel')}
        </Button>
        <Button type="submit" variant="contained" loading={formState.isSubmitting}>
          {t('common:save')}
        </Button>
      </Box>
    </Paper>
  );
}
