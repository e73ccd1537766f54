import Autocomplete from '@mui/material/Autocomplete';
import TextField from '@mui/material/TextField';
import { useEffect, useState } from 'react';
import { Controller, type Control } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { assetName } from '@/shared/domain/assetName';
import { useErrorText } from '@/shared/forms/fields';
import { assetChoiceDocument } from './documents';
import type { RuleInput, RuleTyped } from './form';

/** Finds one machine by a part of its name or code. */
export function AssetChoice({ control }: { control: Control<RuleTyped, unknown, RuleInput> }) {
  const { t } = useTranslation('rules');
  const text = useErrorText();
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  const [{ data, fetching }] = useQuery({ query: assetChoiceDocument, variables: { search } });
  return (
    <Controller
      control={control}
      name="asset"
      render={({ field: { ref, value, onChange, onBlur }, fieldState }) => (
        <Autocomplete
          value={value}
          onChange={(_, chosen) => onChange(chosen)}
          onInputChange={(_, input, reason) => {
            if (reason === 'input') setTyped(input);
          }}
          options={data?.assets.nodes ?? []}
          loading={fetching}
          filterOptions={(options) => options}
          getOptionLabel={assetName}
          isOptionEqualToValue={(a, b) => a.id === b.id}
          getOptionKey={(option) => option.id}
          renderInput={(params) => (
            <TextField
              {...params}
              inputRef={ref}
              onBlur={onBlur}
              label={t('field.asset')}
              error={fieldState.invalid}
              helperText={text(fieldState.error?.message)}
            />
          )}
        />
      )}
    />
  );
}
