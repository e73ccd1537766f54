import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import { usePermission } from '@/shared/session/react';
import { Loaded } from '@/shared/ui/Loaded';
import { PageHeader } from '@/shared/ui/PageHeader';
import { Message } from '@/shared/ui/states';
import { AssetForm } from './AssetForm';
import { useAsset } from './useAsset';

/** The page to add a machine, or to change the one of its address. */
export function AssetFormPage() {
  const { t } = useTranslation(['assets', 'common']);
  const { id } = useParams();
  const mayWrite = usePermission('plant:write');
  if (!mayWrite) {
    return (
      <Message
        icon="lock"
        title={t('common:error.forbidden.title')}
        text={t('common:error.forbidden.text')}
      />
    );
  }
  return (
    <>
      <PageHeader title={t(id ? 'form.edit' : 'form.add')} />
      {id ? <Existing id={id} /> : <AssetForm asset={null} />}
    </>
  );
}

function Existing({ id }: { id: string }) {
  const { t } = useTranslation('assets');
  const { data, asset, error, again } = useAsset(id);
  return (
    <Loaded data={data} error={error} onRetry={again}>
      {() =>
        asset ? (
          <AssetForm key={asset.id} asset={asset} />
        ) : (
          <Message icon="compass" title={t('detail.gone.title')} />
        )
      }
    </Loaded>
  );
}
