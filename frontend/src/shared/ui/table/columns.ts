import useMediaQuery from '@mui/material/useMediaQuery';
import { useTheme, type Breakpoint } from '@mui/material/styles';
import { useState, type ReactNode } from 'react';

export interface Column<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** Track of the grid: `2fr`, `96px`. */
  width: string;
  align?: 'end';
  /** Not shown on screens narrower than this. */
  from?: Breakpoint;
  /** The order that a click on the header asks for; without it there is none. */
  sort?: string;
  /** Cannot be switched off. */
  fixed?: true;
}

function storedHidden(table: string): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(`foresight.columns.${table}`) ?? '[]');
    return Array.isArray(stored) ? stored.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

/** Which columns the person has switched off, remembered in this browser. */
export function useHiddenColumns(table: string): [string[], (id: string) => void] {
  const [hidden, setHidden] = useState(() => storedHidden(table));
  const toggle = (id: string) => {
    const next = hidden.includes(id) ? hidden.filter((one) => one !== id) : [...hidden, id];
    setHidden(next);
    try {
      localStorage.setItem(`foresight.columns.${table}`, JSON.stringify(next));
    } catch {
      // Storage may be forbidden; the choice then lasts for this visit.
    }
  };
  return [hidden, toggle];
}

/**
 * The columns that fit the screen and are switched on. `taken` is the width in px that
 * something beside the table takes away.
 */
export function useShownColumns<Row>(columns: Column<Row>[], hidden: string[], taken = 0): Column<Row>[] {
  const { values } = useTheme().breakpoints;
  const from = (breakpoint: Breakpoint) => `(min-width:${values[breakpoint] + taken}px)`;
  const fits = {
    xs: true,
    sm: useMediaQuery(from('sm')),
    md: useMediaQuery(from('md')),
    lg: useMediaQuery(from('lg')),
    xl: useMediaQuery(from('xl')),
  };
  return columns.filter((column) => fits[column.from ?? 'xs'] && !hidden.includes(column.id));
}
