import uPlot from 'uplot';
import { Ring } from '@/shared/live/ring';
import type { ReadingData } from './documents';

/** One line of a chart: a parameter as one sensor measures it. */
export interface Line {
  sensorId: string;
  parameter: string;
}

const MARGIN = 5;

/** Source holds the newest rows of each sensor of a machine, for the parameters of a view. */
export class Source {
  private rings = new Map<string, Ring>();
  private present = new Set<string>();
  private listeners = new Set<() => void>();

  constructor(
    readonly parameters: readonly string[],
    private readonly capacity: number,
  ) {}

  /** Calls back after every change. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  put(readings: ReadingData[]): void {
    for (const { sensorId, timestamp, values } of readings) {
      const byName = new Map(values.map((one) => [one.parameter, one.value]));
      if (!this.parameters.some((name) => byName.has(name))) continue;
      for (const name of byName.keys()) this.present.add(`${name} ${sensorId}`);
      let ring = this.rings.get(sensorId);
      if (!ring) {
        ring = new Ring(this.parameters, this.capacity);
        this.rings.set(sensorId, ring);
      }
      ring.put(Date.parse(timestamp) / 1000, (name) => byName.get(name));
    }
    for (const listener of this.listeners) listener();
  }

  /** The lines there are for the parameters, in their order. */
  lines(parameters: readonly string[]): Line[] {
    const sensors = [...this.rings.keys()].sort();
    return parameters.flatMap((parameter) =>
      sensors
        .filter((sensorId) => this.present.has(`${parameter} ${sensorId}`))
        .map((sensorId) => ({ sensorId, parameter })),
    );
  }

  get isEmpty(): boolean {
    return this.rings.size === 0;
  }

  /** Time of the newest row of each sensor that has one, by its id, RFC 3339. */
  newest(): Record<string, string> {
    return Object.fromEntries(
      [...this.rings].map(([sensorId, ring]) => [sensorId, new Date(ring.newest * 1000).toISOString()]),
    );
  }

  /**
   * Rows from the time on, as uPlot reads them, one column per line. Sensors that do
   * not speak at the same time are joined without holes; a sensor that is silent for
   * `gap` seconds leaves one.
   */
  data(lines: Line[], from: number, gap: number): uPlot.AlignedData {
    const sensors = [...new Set(lines.map((line) => line.sensorId))];
    const order: Line[] = [];
    const tables = sensors.map((sensorId) => {
      const own = lines.filter((line) => line.sensorId === sensorId);
      order.push(...own);
      const names = own.map((line) => line.parameter);
      const ring = this.rings.get(sensorId) ?? new Ring(names, 1);
      return ring.slice(from - MARGIN, gap, names);
    });
    if (tables.length === 0) return [[]];
    const joined =
      tables.length === 1
        ? tables[0]!
        : uPlot.join(
            tables,
            tables.map((table) => table.map(() => 2)),
          );
    return [joined[0], ...lines.map((line) => joined[order.indexOf(line) + 1]!)] as uPlot.AlignedData;
  }
}
