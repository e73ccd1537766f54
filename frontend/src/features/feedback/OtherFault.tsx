import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { faultChoiceDocument } from './documents';

interface Props {
  /** Code that cannot be meant. */
  not: string;
  busy: boolean;
  onChoose: (code: string) => void;
}

/** Asks which fault it was in truth. */
export function OtherFault({ not, busy, onChoose }: Props) {
  const { t } = useTranslation('feedback');
  const [code, setCode] = useState('');
  const [{ data }] = useQuery({ query: faultChoiceDocument, requestPolicy: 'cache-first' });
  const faults = (data?.faultTypes.nodes ?? []).filter(
    (fault) => fault.code !== not && fault.code !== 'normal',
  );
  return (
    <Box sx={{ display: 'flex', gap: 1, mt: 1.5, alignItems: 'center' }}>
      <TextField
        select
        fullWidth
        size="small"
        label={t('which')}
        value={code}
        onChange={(event) => setCode(event.target.value)}
        slotProps={{ select: { native: true }, inputLabel: { shrink: true } }}
      >
        <option value="">{t('choose')}</option>
        {faults.map((fault) => (
          <option key={fault.id} value={fault.code}>
            {fault.label}
          </option>
        ))}
      </TextField>
      <Button variant="contained" disabled={code === '' || busy} onClick={() => onChoose(code)}>
        {t('send')}
      </Button>
    </Box>
  );
}
