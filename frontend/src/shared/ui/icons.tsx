import type { SxProps, Theme } from '@mui/material/styles';
import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon';

interface Shape {
  d: string;
  /** Points along the line of reading, so it is turned around from right to left. */
  directed?: boolean;
}

/** Line icons on a 24 px grid. They are decoration: the control that holds one has the name. */
const shapes = {
  overview: { d: 'M4 4h7v7H4zM13 4h7v4h-7zM13 11h7v9h-7zM4 14h7v6H4z' },
  assets: {
    d: 'M4 19h16M6 19v-4M18 19v-4M9 15a5 5 0 1 1 6 0M3.5 15h17M14.5 7.5h5v-2h-5M12 11m-1.5 0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0',
  },
  alarms: { d: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4' },
  rules: { d: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4M4 12h4M12 12h8M10 10v4' },
  menu: { d: 'M4 7h16M4 12h16M4 17h16' },
  collapse: { d: 'M4 5h16v14H4zM9 5v14M15 10l-2 2 2 2', directed: true },
  close: { d: 'M6 6l12 12M18 6L6 18' },
  search: { d: 'M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM16 16l4.5 4.5' },
  forward: { d: 'M9 6l6 6-6 6', directed: true },
  open: { d: 'M6 9l6 6 6-6' },
  up: { d: 'M12 19V5M6 11l6-6 6 6' },
  down: { d: 'M12 5v14M6 13l6 6 6-6' },
  plus: { d: 'M12 5v14M5 12h14' },
  edit: { d: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3' },
  trash: { d: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5' },
  check: { d: 'M5 12.5l4.5 4.5L19 7.5' },
  columns: { d: 'M4 5h16v14H4zM9.3 5v14M14.7 5v14' },
  filter: { d: 'M4 6h16M7 12h10M10 18h4' },
  sun: {
    d: 'M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2',
  },
  moon: { d: 'M19 14.5A7.5 7.5 0 0 1 9.5 5a7.5 7.5 0 1 0 9.500 9.500z' },
  screen: { d: 'M3 5h18v11H3zM9 20h6M12 16v4' },
  language: { d: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18' },
  person: {
    d: 'M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM4.500 20c1-4 4-5.500 7.500-5.500s6.500 1.500 7.500 5.500',
  },
  unplugged: {
    d: 'M4 4l16 16M8.500 15.500a5 5 0 0 1 7 0M5 12a10 10 0 0 1 4-2.500M19 12a10 10 0 0 0-6-3M12 19h.01',
  },
  lock: { d: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3' },
  compass: { d: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM15.500 8.500l-2 5-5 2 2-5z' },
  warning: { d: 'M12 4l9 16H3zM12 10v4.500M12 17.500h.01' },
} satisfies Record<string, Shape>;

export type IconName = keyof typeof shapes;

type Single = Exclude<SxProps<Theme>, readonly unknown[]>;

export function Icon({ name, sx, ...rest }: { name: IconName } & Omit<SvgIconProps, 'name'>) {
  const shape: Shape = shapes[name];
  return (
    <SvgIcon
      {...rest}
      fontSize={rest.fontSize ?? 'small'}
      aria-hidden
      sx={[
        {
          fill: 'none',
          stroke: 'currentColor',
          strokeWidth: 1.8,
          strokeLinecap: 'round',
          strokeLinejoin: 'round',
        },
        shape.directed ? { '[dir=rtl] &': { transform: 'scaleX(-1)' } } : null,
        ...[sx as Single].flat(),
      ]}
    >
      <path d={shape.d} />
    </SvgIcon>
  );
}
