import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import { useWatch } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { Link as RouterLink } from 'react-router';
import { assetTypes } from '@/shared/domain/assetTypes';
import { isProbability, useCatalogue } from '@/shared/domain/parameters';
import { severities } from '@/shared/domain/severity';
import { useSites } from '@/shared/domain/sites';
import { FormAlert } from '@/shared/forms/FormAlert';
import { SelectInput, SwitchInput, TextInput } from '@/shared/forms/fields';
import { AssetChoice } from './AssetChoice';
import type { Rule } from './documents';
import { FaultChoice } from './FaultChoice';
import { scopes } from './form';
import { ParameterOptions } from './ParameterOptions';
import { useRuleForm } from './useRuleForm';
import { operators, operatorSigns } from './vocabulary';

/** Adds a rule, or changes the one it is given. */
export function RuleForm({ rule }: { rule: Rule | null }) {
  const { t } = useTranslation(['rules', 'common']);
  const { control, formState, save, stale, loadNewer } = useRuleForm(rule);
  const catalogue = useCatalogue();
  const sites = useSites();
  const [scope, parameter] = useWatch({ control, name: ['scope', 'parameter'] });
  const { errors } = formState;
  const count = Object.keys(errors).filter((name) => name !== 'root').length;
  const unit = isProbability(parameter) ? t('unit.share') : catalogue.unitOf(parameter);
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
      <SelectInput control={control} name="parameter" label={t('field.parameter')}>
        <ParameterOptions catalogue={catalogue} />
      </SelectInput>
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: '1fr 2fr' }}>
        <SelectInput control={control} name="operator" label={t('field.operator')}>
          {operators.map((value) => (
            <option key={value} value={value}>
              {t('operatorOption', { sign: operatorSigns[value], words: t(`operator.${value}`) })}
            </option>
          ))}
        </SelectInput>
        <TextInput control={control} name="threshold" label={t('field.threshold')} unit={unit} numeric />
      </Box>
      {parameter === 'confidence' ? (
        <>
          <FaultChoice control={control} />
          <SwitchInput control={control} name="onlyInDistribution" label={t('field.onlyInDistribution')} />
        </>
      ) : null}
      <SelectInput control={control} name="severity" label={t('common:severity.label')}>
        {severities.map((value) => (
          <option key={value} value={value}>
            {t(`common:severity.${value}`)}
          </option>
        ))}
      </SelectInput>
      <SelectInput control={control} name="scope" label={t('field.scope')}>
        {scopes
          .filter((value) => value !== 'sensor' || rule?.sensor)
          .map((value) => (
            <option key={value} value={value}>
              {t(`scope.${value}`)}
            </option>
          ))}
      </SelectInput>
      {scope === 'group' ? (
        <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { sm: '1fr 1fr' } }}>
          <SelectInput control={control} name="siteId" label={t('field.site')}>
            <option value="">{t('scope.anySite')}</option>
            {sites.map((site) => (
              <option key={site.id} value={site.id}>
                {site.name}
              </option>
            ))}
          </SelectInput>
          <SelectInput control={control} name="assetType" label={t('field.assetType')}>
            <option value="">{t('scope.anyType')}</option>
            {assetTypes.map((value) => (
              <option key={value} value={value}>
                {t(`common:assetType.${value}`)}
              </option>
            ))}
          </SelectInput>
        </Box>
      ) : null}
      {scope === 'asset' ? <AssetChoice control={control} /> : null}
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { sm: '1fr 1fr' } }}>
        <TextInput
          control={control}
          name="deadband"
          label={t('field.deadband')}
          help={t('help.deadband')}
          unit={unit}
          numeric
        />
        <TextInput
          control={control}
          name="minConsecutive"
          label={t('field.minConsecutive')}
          help={t('help.minConsecutive')}
          numeric
        />
        <TextInput
          control={control}
          name="onDelaySec"
          label={t('field.onDelaySec')}
          help={t('help.onDelaySec')}
          unit={t('common:unit.second')}
          numeric
        />
        <TextInput
          control={control}
          name="offDelaySec"
          label={t('field.offDelaySec')}
          help={t('help.offDelaySec')}
          unit={t('common:unit.second')}
          numeric
        />
      </Box>
      <SwitchInput control={control} name="isActive" label={t('field.isActive')} />
      <Box sx={{ display: 'flex', gap: 1, justifyContent: 'flex-end' }}>
        <Button color="inherit" component={RouterLink} to="/rules">
          {t('common:cancel')}
        </Button>
        <Button type="submit" variant="contained" loading={formState.isSubmitting}>
          {t('common:save')}
        </Button>
      </Box>
    </Paper>
  );
}
