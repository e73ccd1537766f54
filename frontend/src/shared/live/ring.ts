/**
 * Ring keeps the newest rows of a time series in memory that never grows: one column
 * of times (Unix seconds, rising) and one column per name. A value that was not
 * measured is NaN inside and null outside.
 */
export class Ring {
  private readonly times: Float64Array;
  private readonly columns: Float64Array[];
  private start = 0;
  private count = 0;

  constructor(
    readonly names: readonly string[],
    readonly capacity: number,
  ) {
    this.times = new Float64Array(capacity);
    this.columns = names.map(() => new Float64Array(capacity));
  }

  get length(): number {
    return this.count;
  }

  /** Time of the newest row, -Infinity when there is none. */
  get newest(): number {
    return this.count === 0 ? -Infinity : this.timeAt(this.count - 1);
  }

  /**
   * Puts a row in its place by time. A row of a time that is there replaces it; one
   * older than a full ring's oldest is dropped. Rows in order cost O(columns).
   */
  put(time: number, value: (name: string) => number | undefined): void {
    let at = this.count;
    while (at > 0 && this.timeAt(at - 1) > time) at--;
    if (at > 0 && this.timeAt(at - 1) === time) {
      this.write(at - 1, time, value);
      return;
    }
    if (this.count === this.capacity) {
      if (at === 0) return;
      this.start = (this.start + 1) % this.capacity;
      at--;
    } else {
      this.count++;
    }
    for (let row = this.count - 1; row > at; row--) this.move(row - 1, row);
    this.write(at, time, value);
  }

  clear(): void {
    this.start = 0;
    this.count = 0;
  }

  /**
   * Rows from the time on as uPlot reads them: times first, then the named columns.
   * A hole longer than `gap` seconds gets a row of nulls, so that no line crosses it.
   */
  slice(
    from: number,
    gap: number,
    names: readonly string[] = this.names,
  ): [number[], ...(number | null)[][]] {
    const picked = names.map((name) => this.columns[this.names.indexOf(name)]);
    const times: number[] = [];
    const out: (number | null)[][] = picked.map(() => []);
    let before = NaN;
    for (let row = this.firstFrom(from); row < this.count; row++) {
      const slot = this.slot(row);
      const time = this.times[slot]!;
      if (time - before > gap) {
        times.push((time + before) / 2);
        for (const column of out) column.push(null);
      }
      times.push(time);
      picked.forEach((column, i) => {
        const value = column?.[slot] ?? NaN;
        out[i]!.push(Number.isNaN(value) ? null : value);
      });
      before = time;
    }
    return [times, ...out];
  }

  private firstFrom(from: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeAt(middle) < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private slot(row: number): number {
    return (this.start + row) % this.capacity;
  }

  private timeAt(row: number): number {
    return this.times[this.slot(row)]!;
  }

  private write(row: number, time: number, value: (name: string) => number | undefined): void {
    const slot = this.slot(row);
    this.times[slot] = time;
    this.columns.forEach((column, i) => {
      column[slot] = value(this.names[i]!) ?? NaN;
    });
  }

  private move(from: number, to: number): void {
    const source = this.slot(from);
    const target = this.slot(to);
    this.times[target] = this.times[source]!;
    for (const column of this.columns) column[target] = column[source]!;
  }
}
