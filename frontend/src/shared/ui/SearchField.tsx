import InputAdornment from '@mui/material/InputAdornment';
import TextField from '@mui/material/TextField';
import { useEffect, useState } from 'react';
import { Icon } from './icons';

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

const SETTLE = 250;

/** A search text that is handed on when the typing pauses. */
export function SearchField({ label, value, onChange }: Props) {
  const [draft, setDraft] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setDraft(value);
  }
  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => onChange(draft), SETTLE);
    return () => clearTimeout(timer);
  }, [draft, value, onChange]);
  return (
    <TextField
      type="search"
      placeholder={label}
      value={draft}
      onChange={(event) => setDraft(event.target.value)}
      sx={{ maxWidth: { sm: 280 }, '& .MuiInputBase-root': { height: 36 } }}
      slotProps={{
        htmlInput: { 'aria-label': label },
        input: {
          startAdornment: (
            <InputAdornment position="start">
              <Icon name="search" />
            </InputAdornment>
          ),
        },
      }}
    />
  );
}
