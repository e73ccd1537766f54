import { createContext, use, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useClient } from 'urql';
import { useOnResumed } from '@/shared/live/react';
import { severities, type Severity } from '@/shared/domain/severity';
import { Announcer } from '@/shared/ui/Announcer';
import { alarmsSubscription, type Alarm } from './documents';
import { useSentence } from './sentence';
import { Stream } from './stream';

const StreamContext = createContext<Stream | null>(null);

/** Follows all alarms of the tenant while the person is signed in, and reads out new ones. */
export function AlarmStreamProvider({ children }: { children: ReactNode }) {
  const client = useClient();
  const [stream] = useState(() => new Stream());
  useEffect(() => {
    stream.restart();
    const following = client.subscription(alarmsSubscription, {}).subscribe(({ data }) => {
      if (!data) return;
      const { alarm, snapshot, resync } = data.alarms;
      if (resync) stream.restart();
      if (alarm) stream.put(alarm, snapshot);
    });
    return () => following.unsubscribe();
  }, [client, stream]);
  useOnResumed(() => stream.restart());
  return (
    <StreamContext value={stream}>
      {children}
      <NewAlarmAnnouncer />
    </StreamContext>
  );
}

function useStream(): Stream {
  const stream = use(StreamContext);
  if (!stream) throw new Error('no alarm stream');
  return stream;
}

/** The active alarms as they are now, the newest first. */
export function useActiveAlarms(): Alarm[] {
  const stream = useStream();
  return useSyncExternalStore(stream.subscribe, () => stream.getState().active);
}

/** Number of active alarms by severity. */
export function useAlarmCounts(): Record<Severity, number> {
  const counts = Object.fromEntries(severities.map((one) => [one, 0])) as Record<Severity, number>;
  for (const alarm of useActiveAlarms()) counts[alarm.severity]++;
  return counts;
}

function NewAlarmAnnouncer() {
  const stream = useStream();
  const sentence = useSentence();
  const newest = useSyncExternalStore(stream.subscribe, () => stream.getState().newest);
  return <Announcer text={newest ? sentence(newest) : ''} urgent={newest?.severity === 'CRITICAL'} />;
}
