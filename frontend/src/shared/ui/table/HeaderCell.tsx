import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import { Icon } from '../icons';
import type { Column } from './columns';

export interface SortState {
  field: string;
  direction: 'ASC' | 'DESC';
}

interface Props<Row> {
  column: Column<Row>;
  sort?: SortState;
  onSort?: (field: string) => void;
}

/** The head of a column; where it can be sorted by, it is a button that says how it is. */
export function HeaderCell<Row>({ column, sort, onSort }: Props<Row>) {
  const sorted = column.sort !== undefined && sort?.field === column.sort ? sort.direction : null;
  const order = sorted === 'ASC' ? 'ascending' : sorted === 'DESC' ? 'descending' : undefined;
  return (
    <Box
      role="columnheader"
      aria-sort={order}
      sx={{
        minWidth: 0,
        textAlign: column.align,
        overflow: 'hidden',
        textOverflow: 'ellipsis',
        whiteSpace: 'nowrap',
      }}
    >
      {column.sort && onSort ? (
        <ButtonBase
          onClick={() => onSort(column.sort!)}
          sx={{
            font: 'inherit',
            gap: 0.5,
            fontWeight: sorted ? 600 : 400,
            color: sorted ? 'text.primary' : 'inherit',
          }}
        >
          {column.header}
          {sorted ? <Icon name={sorted === 'ASC' ? 'up' : 'down'} sx={{ fontSize: 14 }} /> : null}
        </ButtonBase>
      ) : (
        column.header
      )}
    </Box>
  );
}
