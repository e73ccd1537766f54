import Box from '@mui/material/Box';
import Checkbox from '@mui/material/Checkbox';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { HeaderCell, type SortState } from './HeaderCell';
import type { Column } from './columns';

const ROW = 40;
/** Rows of several lines are at least this high, and as high as their text needs. */
const TALL_ROW = 60;
const HEAD = 36;

const oneLine = { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' } as const;

export interface Selection {
  ids: ReadonlySet<string>;
  toggle: (id: string) => void;
  /** Selects all of the rows that can be, or none. */
  toggleAll: () => void;
  canSelect: (id: string) => boolean;
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  idOf: (row: Row) => string;
  /** All that there are, also those not loaded yet. */
  total?: number;
  sort?: SortState;
  onSort?: (field: string) => void;
  onOpen?: (row: Row) => void;
  openId?: string | null;
  selection?: Selection;
  nameOf?: (row: Row) => string;
  /** Called when the last rows come into sight. */
  onEnd?: () => void;
  /** Takes the place of the rows when there are none. */
  empty?: ReactNode;
  maxHeight?: string;
  /** Cells may have several lines: each row is as high as its text needs. */
  tall?: boolean;
}

/** A table that draws only the rows in sight. Its header stays, a click on a row opens it. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  idOf,
  total,
  sort,
  onSort,
  onOpen,
  openId,
  selection,
  nameOf,
  onEnd,
  empty,
  maxHeight = 'max(320px, calc(100dvh - 232px))',
  tall = false,
}: Props<Row>) {
  const { t } = useTranslation('common');
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualiser keeps its own state
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (tall ? TALL_ROW : ROW),
    scrollPaddingStart: HEAD,
    overscan: 8,
    getItemKey: (index) => idOf(rows[index]!),
  });
  // Heights that were kept belong to the other kind of row.
  useEffect(() => virtual.measure(), [virtual, tall]);
  const items = virtual.getVirtualItems();
  const lastSeen = items[items.length - 1]?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && lastSeen >= rows.length - 10) onEnd?.();
  }, [lastSeen, rows.length, onEnd]);

  const template = (selection ? '44px ' : '') + columns.map((column) => column.width).join(' ');
  const grid = {
    display: 'grid',
    gridTemplateColumns: template,
    alignItems: 'center',
    columnGap: { xs: 1, sm: 1.5 },
    px: { xs: 1, sm: 2 },
  };
  const selectable = selection ? rows.filter((row) => selection.canSelect(idOf(row))) : [];
  const chosen = selection ? selectable.filter((row) => selection.ids.has(idOf(row))).length : 0;

  return (
    // A scrolling region must be reachable by keyboard.

    <Box
      ref={scroller}
      tabIndex={0}
      role="group"
      aria-label={label}
      sx={{ overflow: 'auto', maxHeight, position: 'relative' }}
    >
      <Box role="table" aria-label={label} aria-rowcount={(total ?? rows.length) + 1}>
        <Box
          role="rowgroup"
          sx={{
            position: 'sticky',
            top: 0,
            zIndex: 1,
            bgcolor: 'background.paper',
            borderBottom: 1,
            borderColor: 'divider',
          }}
        >
          <Box
            role="row"
            aria-rowindex={1}
            sx={{ ...grid, height: HEAD, color: 'text.secondary', fontSize: 12 }}
          >
            {selection ? (
              <Box role="columnheader">
                <Checkbox
                  size="small"
                  checked={chosen > 0 && chosen === selectable.length}
                  indeterminate={chosen > 0 && chosen < selectable.length}
                  disabled={selectable.length === 0}
                  onChange={selection.toggleAll}
                  slotProps={{ input: { 'aria-label': t('table.selectAll') } }}
                />
              </Box>
            ) : null}
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </Box>
        </Box>
        {rows.length === 0 && empty ? (
          <Box role="rowgroup">
            <Box role="row">
              <Box role="cell">{empty}</Box>
            </Box>
          </Box>
        ) : (
          <Box role="rowgroup" sx={{ position: 'relative' }} style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const row = rows[item.index]!;
              const id = idOf(row);
              return (
                <Box
                  key={item.key}
                  ref={tall ? virtual.measureElement : undefined}
                  data-index={item.index}
                  role="row"
                  aria-rowindex={item.index + 2}
                  aria-current={openId === id ? 'true' : undefined}
                  tabIndex={onOpen ? 0 : undefined}
                  onClick={onOpen ? () => onOpen(row) : undefined}
                  onKeyDown={
                    onOpen
                      ? (event) => {
                          if (event.key === 'Enter' && event.target === event.currentTarget) onOpen(row);
                        }
                      : undefined
                  }
                  sx={{
                    ...grid,
                    position: 'absolute',
                    top: 0,
                    insetInlineStart: 0,
                    width: 1,
                    ...(tall ? { minHeight: TALL_ROW, py: 1 } : { height: ROW }),
                    borderBottom: 1,
                    borderColor: 'divider',
                    cursor: onOpen ? 'pointer' : undefined,
                    '&:hover': onOpen ? { bgcolor: 'action.hover' } : undefined,
                    '&[aria-current]': { bgcolor: 'action.selected' },
                    '&:focus-visible': { outline: 2, outlineColor: 'primary.main', outlineOffset: -2 },
                  }}
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  {selection ? (
                    <Box role="cell">
                      <Checkbox
                        size="small"
                        checked={selection.ids.has(id)}
                        disabled={!selection.canSelect(id)}
                        onClick={(event) => event.stopPropagation()}
                        onChange={() => selection.toggle(id)}
                        slotProps={{
                          input: { 'aria-label': t('table.select', { name: nameOf?.(row) ?? id }) },
                        }}
                      />
                    </Box>
                  ) : null}
                  {columns.map((column) => (
                    <Box
                      key={column.id}
                      role="cell"
                      dir="auto"
                      sx={{
                        minWidth: 0,
                        ...(tall ? { overflowWrap: 'anywhere' } : oneLine),
                        // Sides of the page, not of the text: the style plug-in mirrors them.
                        textAlign: column.align === 'end' ? 'right' : 'left',
                      }}
                    >
                      {column.cell(row)}
                    </Box>
                  ))}
                </Box>
              );
            })}
          </Box>
        )}
      </Box>
    </Box>
  );
}
