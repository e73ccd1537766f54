import InputAdornment from '@mui/material/InputAdornment';
import TextField from '@mui/material/TextField';
import { useEffect, useRef, useState } from 'react';
import { Icon } from './icons';

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

const SETTLE = 250;

/** A search text that is handed on when the typing pauses, and at once when the field is left: who goes on comes back to it. */
export function SearchField({ label, value, onChange }: Props) {
  const [draft, setDraft] = useState(value);
  const [known, setKnown] = useState(value);
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined);
  if (known !== value) {
    setKnown(value);
    setDraft(value);
  }
  useEffect(() => {
    if (draft === value) return;
    settling.current = setTimeout(() => onChange(draft), SETTLE);
    return () => clearTimeout(settling.current);
  }, [draft, value, onChange]);
  const handOn = () => {
    clearTimeout(settling.current);
    if (draft !== value) onChange(draft);
  };
  return (
    <TextField
      type="search"
      placeholder={label}
      value={draft}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={handOn}
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
