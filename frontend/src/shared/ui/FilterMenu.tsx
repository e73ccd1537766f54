import Button from '@mui/material/Button';
import Checkbox from '@mui/material/Checkbox';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from './icons';

export interface FilterOption {
  value: string;
  label: string;
  mark?: ReactNode;
}

interface Props {
  label: string;
  options: FilterOption[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
  /** Choosing one lets go of the others. */
  single?: boolean;
}

/** A filter of a list: says what is chosen, opens to choose. */
export function FilterMenu({ label, options, chosen, onChange, single = false }: Props) {
  const { t } = useTranslation('common');
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const names = options.filter((option) => chosen.includes(option.value)).map((option) => option.label);
  const pick = (value: string) => {
    if (chosen.includes(value)) onChange(chosen.filter((one) => one !== value));
    else onChange(single ? [value] : [...chosen, value]);
    if (single) setAnchor(null);
  };
  return (
    <>
      <Button
        size="small"
        variant="outlined"
        color={names.length > 0 ? 'primary' : 'inherit'}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(event.currentTarget)}
        endIcon={<Icon name="open" sx={{ fontSize: '14px !important' }} />}
        sx={{ fontWeight: 400, borderColor: names.length > 0 ? undefined : 'divider', height: 36 }}
      >
        {names.length > 0 ? t('filter.chosen', { label, names: names.join(t('comma')) }) : label}
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {options.map((option) => (
          <MenuItem
            key={option.value}
            dense
            role={single ? 'menuitemradio' : 'menuitemcheckbox'}
            aria-checked={chosen.includes(option.value)}
            onClick={() => pick(option.value)}
            sx={{ gap: 1 }}
          >
            {single ? null : (
              <Checkbox
                size="small"
                edge="start"
                sx={{ p: 0.5 }}
                checked={chosen.includes(option.value)}
                tabIndex={-1}
                aria-hidden
              />
            )}
            {option.mark}
            {option.label}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
