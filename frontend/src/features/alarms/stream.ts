import { publish } from '@/shared/live/news';
import type { Alarm } from './documents';
import { isActive } from './status';

const CAPACITY = 500;

export interface StreamState {
  /** Active alarms, the newest first, at most 500. */
  active: Alarm[];
  /** The newest alarm that came after the beginning, to be announced. */
  newest: Alarm | null;
}

/** Stream keeps the active alarms as the subscription tells them. */
export class Stream {
  private alarms = new Map<string, Alarm>();
  private state: StreamState = { active: [], newest: null };
  private listeners = new Set<() => void>();

  getState = (): StreamState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Begins anew: a snapshot follows. */
  restart(): void {
    this.alarms.clear();
    this.show(null);
    publish('alarms');
  }

  put(alarm: Alarm, snapshot: boolean): void {
    const known = this.alarms.has(alarm.id);
    if (isActive(alarm.status)) this.alarms.set(alarm.id, alarm);
    else this.alarms.delete(alarm.id);
    this.show(!snapshot && !known && alarm.status === 'OPEN' ? alarm : this.state.newest);
    if (!snapshot) publish('alarms');
  }

  private show(newest: Alarm | null): void {
    const active = [...this.alarms.values()].sort((a, b) => b.triggeredAt.localeCompare(a.triggeredAt));
    for (const alarm of active.splice(CAPACITY)) this.alarms.delete(alarm.id);
    this.state = { active, newest };
    for (const listener of this.listeners) listener();
  }
}
