import Autocomplete from '@mui/material/Autocomplete';
import TextField from '@mui/material/TextField';
import { Controller, type Control } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { useErrorText } from '@/shared/forms/fields';
import { faultTypesDocument } from './documents';
import type { RuleInput, RuleTyped } from './form';

/** Chooses faults by their names; none means any fault. */
export function FaultChoice({ control }: { control: Control<RuleTyped, unknown, RuleInput> }) {
  const { t } = useTranslation('rules');
  const text = useErrorText();
  const [{ data }] = useQuery({ query: faultTypesDocument, requestPolicy: 'cache-first' });
  const labels = new Map((data?.faultTypes.nodes ?? []).map((fault) => [fault.code, fault.label]));
  return (
    <Controller
      control={control}
      name="faultCodes"
      render={({ field: { ref, value, onChange, onBlur }, fieldState }) => (
        <Autocomplete
          multiple
          value={value}
          onChange={(_, chosen) => onChange(chosen)}
          options={[...labels.keys()].filter((code) => code !== 'normal')}
          getOptionLabel={(code) => labels.get(code) ?? code}
          renderInput={(params) => (
            <TextField
              {...params}
              inputRef={ref}
              onBlur={onBlur}
              label={t('field.faultCodes')}
              error={fieldState.invalid}
              helperText={text(fieldState.error?.message) ?? t('help.faultCodes')}
            />
          )}
        />
      )}
    />
  );
}
