import Box from '@mui/material/Box';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useFormat } from '@/shared/format/react';
import { cancelFrame, onNextFrame } from '@/shared/live/frame';
import { useChartColours } from './colours';
import { drawMarkers, drawThresholds, type Marker, type Threshold } from './draw';
import type { ChartSpec } from './quantities';
import type { Line, Source } from './source';
import { timeAxis } from './timeAxis';

/** Unix seconds from and to. */
export type Range = [number, number];

interface Props {
  spec: ChartSpec;
  source: Source;
  /** Seconds that the live view shows. */
  seconds: number;
  /** Silence of a sensor from which its line breaks, in seconds. */
  gap: number;
  /** A part of the time that the person has marked; null follows the live edge. */
  zoom: Range | null;
  onZoom: (zoom: Range | null) => void;
  thresholds: Threshold[];
  markers: Marker[];
  sensorName: (id: string) => string;
}

const HEIGHT = 180;
const MOST_LINES = 6;

/** Lines over time on a canvas, drawn once a frame however fast readings come. */
export function LineChart({
  spec,
  source,
  seconds,
  gap,
  zoom,
  onZoom,
  thresholds,
  markers,
  sensorName,
}: Props) {
  const { t } = useTranslation('telemetry');
  const format = useFormat();
  const colours = useChartColours();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const values = useRef<(HTMLSpanElement | null)[]>([]);
  const [lines, setLines] = useState<Line[]>([]);
  const several = new Set(lines.map((line) => line.sensorId)).size > 1;
  const nameOf = (line: Line) => {
    const name = spec.names[spec.parameters.indexOf(line.parameter)] ?? line.parameter;
    return several ? `${name} (${sensorName(line.sensorId)})` : name;
  };
  const shape = JSON.stringify(lines);

  const drawOver = useEffectEvent((u: uPlot) => {
    drawThresholds(u, thresholds, colours);
    drawMarkers(u, markers, colours);
  });
  const showValues = useEffectEvent((u: uPlot) => {
    const at = u.cursor.idx;
    lines.forEach((_, i) => {
      const span = values.current[i];
      if (!span) return;
      const column = u.data[i + 1];
      const value = at === null || at === undefined ? lastOf(column) : column?.[at];
      span.textContent =
        value === null || value === undefined
          ? '–'
          : format.measure(value, lines.length === 1 ? spec.unit : undefined);
    });
  });
  const highest = useEffectEvent((high: number) =>
    thresholds.reduce((top, { value }) => (value <= high * 2.5 ? Math.max(top, value) : top), high),
  );
  const zoomed = useEffectEvent((range: Range | null) => onZoom(range));
  const draw = useEffectEvent(() => {
    const found = source.lines(spec.parameters).slice(0, MOST_LINES);
    if (JSON.stringify(found) !== shape) {
      setLines(found);
      return;
    }
    const u = plot.current;
    if (!u) return;
    const end = Date.now() / 1000;
    const [from, to] = zoom ?? [end - seconds, end];
    u.batch(() => {
      u.setData(source.data(lines, from, gap), false);
      u.setScale('x', { min: from, max: to });
    });
    showValues(u);
  });

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const axis = { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
    const shown = JSON.parse(shape) as Line[];
    const u = new uPlot(
      {
        width: element.clientWidth || 400,
        height: HEIGHT,
        legend: { show: false },
        cursor: {
          sync: { key: 'telemetry' },
          drag: { x: true, y: false, setScale: false },
          points: { size: 6 },
        },
        scales: {
          x: { time: true },
          y: {
            range: (_, low, high) => {
              const top = highest(high ?? 1);
              const bottom = low ?? 0;
              const room = (top - bottom) * 0.08 || 1;
              return [bottom >= 0 ? Math.max(0, bottom - room) : bottom - room, top + room];
            },
          },
        },
        axes: [
          { ...axis, ...timeAxis() },
          { ...axis, size: 48 },
        ],
        series: [
          {},
          ...shown.map((_, i) => ({
            stroke: colours.lines[i],
            width: 2,
            points: { show: false },
            spanGaps: false,
          })),
        ],
        hooks: {
          draw: [(self) => drawOver(self)],
          setCursor: [(self) => showValues(self)],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width > 4) zoomed([self.posToVal(left, 'x'), self.posToVal(left + width, 'x')]);
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
          ready: [(self) => self.over.addEventListener('dblclick', () => zoomed(null))],
        },
      },
      [[], ...shown.map(() => [])],
      element,
    );
    plot.current = u;
    const resize = new ResizeObserver(() => u.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    draw();
    return () => {
      resize.disconnect();
      plot.current = null;
      u.destroy();
    };
  }, [shape, colours]);

  useEffect(() => {
    const key = {};
    const later = () => onNextFrame(key, () => draw());
    later();
    const stop = source.onChange(later);
    // Without readings the live edge still moves on.
    const timer = setInterval(later, 1_000);
    return () => {
      stop();
      clearInterval(timer);
      cancelFrame(key);
    };
  }, [source, seconds, zoom, thresholds, markers]);

  return (
    <Box component="figure" sx={{ m: 0, minWidth: 0 }} aria-label={spec.title}>
      <Box
        component="figcaption"
        sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 2, alignItems: 'baseline', mb: 0.5 }}
      >
        <Box component="span" sx={{ fontWeight: 600 }}>
          {spec.title}
        </Box>
        <Box component="span" dir="ltr" sx={{ fontSize: 12, color: 'text.secondary' }}>
          {spec.unit}
        </Box>
        {lines.length > 1 ? <Box sx={{ flexBasis: '100%' }} /> : <Box sx={{ flex: 1 }} />}
        {lines.map((line, i) => (
          <Box
            key={line.sensorId + line.parameter}
            component="span"
            sx={{ fontSize: 12, display: 'inline-flex', alignItems: 'center', gap: 0.75 }}
          >
            <Box
              component="span"
              sx={{ width: 10, height: 3, borderRadius: 1 }}
              style={{ background: colours.lines[i] }}
            />
            {lines.length > 1 ? nameOf(line) : null}
            <Box
              component="span"
              dir="ltr"
              sx={{ fontWeight: 600, minWidth: lines.length > 1 ? 36 : 72, textAlign: 'right' }}
              ref={(element: HTMLSpanElement | null) => {
                values.current[i] = element;
              }}
            />
          </Box>
        ))}
      </Box>
      <Box
        ref={holder}
        dir="ltr"
        role="img"
        aria-label={t('chart.label', { title: spec.title })}
        sx={{ height: HEIGHT, minWidth: 0 }}
      />
    </Box>
  );
}

function lastOf(column: ArrayLike<number | null | undefined> | undefined): number | null {
  for (let i = (column?.length ?? 0) - 1; i >= 0; i--) {
    const value = column![i];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}
