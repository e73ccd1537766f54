import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Snackbar from '@mui/material/Snackbar';
import { useSyncExternalStore } from 'react';

export interface Notice {
  text: string;
  tone: 'success' | 'error' | 'info';
  action?: { label: string; run: () => void };
}

let current: (Notice & { id: number }) | null = null;
let last = 0;
const listeners = new Set<() => void>();

function set(next: typeof current): void {
  current = next;
  for (const listener of listeners) listener();
}

/** Says shortly how an action went, with the way to undo it where there is one. */
export function notify(notice: Notice): void {
  set({ ...notice, id: ++last });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Notices() {
  const notice = useSyncExternalStore(subscribe, () => current);
  if (!notice) return null;
  const dismiss = () => set(null);
  const { action } = notice;
  return (
    <Snackbar
      key={notice.id}
      open
      autoHideDuration={action || notice.tone === 'error' ? 10_000 : 4_000}
      onClose={(_, reason) => {
        if (reason !== 'clickaway') dismiss();
      }}
      anchorOrigin={{ vertical: 'bottom', horizontal: 'center' }}
    >
      <Alert
        severity={notice.tone}
        variant="standard"
        role={notice.tone === 'error' ? 'alert' : 'status'}
        onClose={action ? undefined : dismiss}
        sx={{ boxShadow: 4 }}
        action={
          action ? (
            <Button
              color="inherit"
              size="small"
              onClick={() => {
                dismiss();
                action.run();
              }}
            >
              {action.label}
            </Button>
          ) : undefined
        }
      >
        {notice.text}
      </Alert>
    </Snackbar>
  );
}
