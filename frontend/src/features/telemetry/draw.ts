import type uPlot from 'uplot';
import type { Severity } from '@/shared/domain/severity';
import type { ChartColours } from './colours';

/** A limit that a rule sets on a parameter. */
export interface Threshold {
  name: string;
  value: number;
}

/** An alarm at its time. */
export interface Marker {
  id: string;
  /** Unix seconds. */
  at: number;
  severity: Severity;
}

/** Draws limits as dashed lines with their names. */
export function drawThresholds(u: uPlot, thresholds: Threshold[], colours: ChartColours): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = colours.threshold;
  ctx.fillStyle = colours.threshold;
  ctx.lineWidth = devicePixelRatio;
  ctx.font = `${11 * devicePixelRatio}px "Inter Variable", "Noto Sans Arabic", sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  for (const { name, value } of thresholds) {
    const y = Math.round(u.valToPos(value, 'y', true));
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillText(name, bbox.left + bbox.width - 4 * devicePixelRatio, y - 2 * devicePixelRatio);
  }
  ctx.restore();
}

/** Draws alarms as the shapes of their severity at the foot of the chart, with a faint line up. */
export function drawMarkers(u: uPlot, markers: Marker[], colours: ChartColours): void {
  const { ctx, bbox } = u;
  const size = 5 * devicePixelRatio;
  ctx.save();
  for (const { at, severity } of markers) {
    const x = u.valToPos(at, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const y = bbox.top + bbox.height - size - 2;
    ctx.strokeStyle = colours.severity[severity];
    ctx.fillStyle = colours.severity[severity];
    ctx.lineWidth = devicePixelRatio;
    ctx.globalAlpha = 0.5;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, y);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    outline(ctx, severity, x, y, size);
    if (severity === 'LOW') ctx.stroke();
    else ctx.fill();
  }
  ctx.restore();
}

function outline(
  ctx: CanvasRenderingContext2D,
  severity: Severity,
  x: number,
  y: number,
  size: number,
): void {
  switch (severity) {
    case 'CRITICAL':
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      break;
    case 'HIGH':
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.lineTo(x - size, y + size);
      break;
    case 'MEDIUM':
      ctx.rect(x - size * 0.8, y - size * 0.8, size * 1.6, size * 1.6);
      break;
    case 'LOW':
      ctx.arc(x, y, size * 0.8, 0, 2 * Math.PI);
  }
  ctx.closePath();
}
