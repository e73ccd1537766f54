/** Stands in for uplot, since jsdom has no canvas; what is drawn is looked at in a real browser. */
export default class {
  static join = (tables: unknown[]) => tables[0];
  cursor = { idx: null };
  over = document.createElement('div');
  data: unknown[] = [];
  batch(run: () => void) {
    run();
  }
  setData(data: unknown[]) {
    this.data = data;
  }
  setScale() {}
  setSize() {}
  destroy() {}
}
