export interface Throttled {
  (): void;
  cancel: () => void;
}

/** Runs at once and then at most once in `ms` milliseconds; the last call is never lost. */
export function throttle(run: () => void, ms: number): Throttled {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const tick = () => {
    timer = undefined;
    if (!again) return;
    again = false;
    run();
    timer = setTimeout(tick, ms);
  };
  const call = () => {
    if (timer !== undefined) {
      again = true;
      return;
    }
    run();
    timer = setTimeout(tick, ms);
  };
  call.cancel = () => {
    clearTimeout(timer);
    timer = undefined;
    again = false;
  };
  return call;
}
