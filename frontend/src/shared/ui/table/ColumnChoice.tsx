import Checkbox from '@mui/material/Checkbox';
import IconButton from '@mui/material/IconButton';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../icons';

interface Props {
  columns: { id: string; header: string; fixed?: true }[];
  hidden: string[];
  onToggle: (id: string) => void;
}

/** Lets the person choose which columns a table shows. */
export function ColumnChoice({ columns, hidden, onToggle }: Props) {
  const { t } = useTranslation('common');
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <IconButton
        size="small"
        aria-label={t('table.columns')}
        title={t('table.columns')}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <Icon name="columns" />
      </IconButton>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {columns
          .filter((column) => !column.fixed)
          .map((column) => (
            <MenuItem
              key={column.id}
              dense
              role="menuitemcheckbox"
              aria-checked={!hidden.includes(column.id)}
              onClick={() => onToggle(column.id)}
            >
              <Checkbox
                size="small"
                edge="start"
                checked={!hidden.includes(column.id)}
                tabIndex={-1}
                aria-hidden
              />
              {column.header}
            </MenuItem>
          ))}
      </Menu>
    </>
  );
}
