/**
 * idle: no connection was needed yet. live: events arrive. connecting: the first
 * attempt. reconnecting: it was lost and is being sought. offline: the device has no network.
 */
export type LinkPhase = 'idle' | 'connecting' | 'live' | 'reconnecting' | 'offline';

export interface LinkState {
  phase: LinkPhase;
  /** Since when nothing arrives, in Unix milliseconds; null while live. */
  downSince: number | null;
}

/** Connection tells what is known of the one WebSocket to whoever shows live data. */
export class Connection {
  private state: LinkState = { phase: 'idle', downSince: null };
  private wasLive = false;
  private listeners = new Set<() => void>();
  private resumed = new Set<() => void>();

  getState = (): LinkState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Calls back each time the link is live again after a loss: what was shown may have holes. */
  onResumed(callback: () => void): () => void {
    this.resumed.add(callback);
    return () => this.resumed.delete(callback);
  }

  connecting(): void {
    this.to(this.seeking());
  }

  connected(): void {
    const again = this.wasLive;
    this.wasLive = true;
    this.to('live');
    if (again) for (const callback of this.resumed) callback();
  }

  lost(): void {
    if (!this.wasLive && this.state.phase === 'idle') return;
    this.to(navigator.onLine ? 'reconnecting' : 'offline');
  }

  /** The device's network went or came back, which shows before the socket notices. */
  networkChanged(): void {
    if (this.state.phase === 'idle') return;
    if (!navigator.onLine || this.state.phase === 'offline') this.to(this.seeking());
  }

  /** The socket was closed on purpose: nobody listens any more. */
  released(): void {
    this.wasLive = false;
    this.to('idle');
  }

  private seeking(): LinkPhase {
    if (!navigator.onLine) return 'offline';
    return this.wasLive ? 'reconnecting' : 'connecting';
  }

  private to(phase: LinkPhase): void {
    if (phase === this.state.phase) return;
    const up = phase === 'live' || phase === 'idle';
    this.state = { phase, downSince: up ? null : (this.state.downSince ?? Date.now()) };
    for (const listener of this.listeners) listener();
  }
}
