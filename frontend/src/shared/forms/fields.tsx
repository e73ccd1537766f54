import FormControlLabel from '@mui/material/FormControlLabel';
import InputAdornment from '@mui/material/InputAdornment';
import Switch from '@mui/material/Switch';
import TextField from '@mui/material/TextField';
import type { ReactNode } from 'react';
import { Controller, type Control, type FieldPath, type FieldValues } from 'react-hook-form';
import { useTranslation } from 'react-i18next';

interface FieldProps<Values extends FieldValues, Output> {
  control: Control<Values, unknown, Output>;
  name: FieldPath<Values>;
  label: string;
  help?: string;
  disabled?: boolean;
}

interface TextProps<Values extends FieldValues, Output> extends FieldProps<Values, Output> {
  unit?: string;
  numeric?: boolean;
  type?: 'text' | 'date';
  autoFocus?: boolean;
  multiline?: boolean;
}

/** A text or a number; its help gives way to its error. */
export function TextInput<Values extends FieldValues, Output>({
  control,
  name,
  label,
  help,
  unit,
  numeric = false,
  type = 'text',
  multiline,
  ...rest
}: TextProps<Values, Output>) {
  const text = useErrorText();
  return (
    <Controller
      control={control}
      name={name}
      render={({ field: { ref, ...field }, fieldState }) => (
        <TextField
          {...field}
          {...rest}
          value={field.value ?? ''}
          inputRef={ref}
          label={label}
          type={type}
          multiline={multiline}
          minRows={multiline ? 3 : undefined}
          error={fieldState.invalid}
          helperText={text(fieldState.error?.message) ?? help}
          slotProps={{
            htmlInput: numeric ? { inputMode: 'decimal', dir: 'ltr' } : undefined,
            inputLabel: type === 'date' ? { shrink: true } : undefined,
            input: unit
              ? { endAdornment: <InputAdornment position="end">{unit}</InputAdornment> }
              : undefined,
          }}
        />
      )}
    />
  );
}

interface SelectProps<Values extends FieldValues, Output> extends FieldProps<Values, Output> {
  /** `<option>` and `<optgroup>` elements. */
  children: ReactNode;
}

/** A choice of few; the browser's own list, which is the best one on a tablet. */
export function SelectInput<Values extends FieldValues, Output>({
  control,
  name,
  label,
  help,
  disabled,
  children,
}: SelectProps<Values, Output>) {
  const text = useErrorText();
  return (
    <Controller
      control={control}
      name={name}
      render={({ field: { ref, ...field }, fieldState }) => (
        <TextField
          {...field}
          value={field.value ?? ''}
          select
          inputRef={ref}
          label={label}
          disabled={disabled}
          error={fieldState.invalid}
          helperText={text(fieldState.error?.message) ?? help}
          slotProps={{ select: { native: true }, inputLabel: { shrink: true } }}
        >
          {children}
        </TextField>
      )}
    />
  );
}

export function SwitchInput<Values extends FieldValues, Output>({
  control,
  name,
  label,
  disabled,
}: FieldProps<Values, Output>) {
  return (
    <Controller
      control={control}
      name={name}
      render={({ field: { ref, value, ...field } }) => (
        <FormControlLabel
          label={label}
          disabled={disabled}
          control={<Switch {...field} checked={Boolean(value)} slotProps={{ input: { ref } }} />}
        />
      )}
    />
  );
}

/** Messages of schemas are keys of the common texts; those of the server are texts already. */
export function useErrorText(): (message: string | undefined) => string | undefined {
  const { t, i18n } = useTranslation('common');
  return (message) => {
    if (!message) return undefined;
    return i18n.exists(`invalid.${message}`, { ns: 'common' }) ? t(`invalid.${message}`) : message;
  };
}
