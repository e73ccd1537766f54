import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { useFormat } from '@/shared/format/react';
import { Loaded } from '@/shared/ui/Loaded';
import { SidePanel } from '@/shared/ui/SidePanel';
import { Message } from '@/shared/ui/states';
import { AssetFacts } from './AssetFacts';
import { AssetState } from './AssetState';
import { useAsset } from './useAsset';

interface Props {
  id: string;
  onClose: () => void;
}

/** A machine in short beside the list, with the way to its page. */
export function AssetPanel({ id, onClose }: Props) {
  const { t } = useTranslation('assets');
  const format = useFormat();
  const { data, asset, error, again } = useAsset(id);
  return (
    <SidePanel title={asset?.name ?? t('panel.title')} onClose={onClose}>
      <Loaded data={data} error={error} onRetry={again}>
        {() =>
          asset ? (
            <Box sx={{ display: 'flex', flexDirection: 'column', gap: 2 }}>
              <AssetState asset={asset} />
              {asset.latestPrediction ? (
                <Typography>
                  {t('prediction', {
                    label: asset.latestPrediction.label,
                    probability: format.percent(asset.latestPrediction.probability),
                  })}
                </Typography>
              ) : null}
              <Button
                component={RouterLink}
                to={`/assets/${asset.id}`}
                variant="contained"
                sx={{ alignSelf: 'start' }}
              >
                {t('panel.open')}
              </Button>
              <AssetFacts asset={asset} />
            </Box>
          ) : (
            <Message icon="compass" title={t('detail.gone.title')} />
          )
        }
      </Loaded>
    </SidePanel>
  );
}
