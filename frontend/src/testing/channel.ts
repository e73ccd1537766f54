/** A stream of items to one subscriber. */
export class Channel<T> implements AsyncIterableIterator<T> {
  private items: T[] = [];
  private wake: (() => void) | null = null;
  private closed = false;

  constructor(private readonly onClose: () => void) {}

  push(item: T): void {
    this.items.push(item);
    this.wake?.();
  }

  async next(): Promise<IteratorResult<T>> {
    while (this.items.length === 0 && !this.closed) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const item = this.items.shift();
    return item === undefined ? { done: true, value: undefined } : { done: false, value: item };
  }

  return(): Promise<IteratorResult<T>> {
    this.closed = true;
    this.wake?.();
    this.onClose();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Hands items to all who listen at the moment. */
export class Broadcast<T> {
  private channels = new Set<Channel<T>>();

  listen(first: T[] = []): Channel<T> {
    const channel: Channel<T> = new Channel(() => this.channels.delete(channel));
    this.channels.add(channel);
    for (const item of first) channel.push(item);
    return channel;
  }

  send(item: T): void {
    for (const channel of this.channels) channel.push(item);
  }

  get listeners(): number {
    return this.channels.size;
  }
}
