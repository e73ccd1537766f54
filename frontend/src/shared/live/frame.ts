/** Work that waits for the next frame; each key is drawn once however often it was asked for. */
const waiting = new Map<object, () => void>();
let frame = 0;

/** Draws at the next animation frame, together with all else that waits. */
export function onNextFrame(key: object, draw: () => void): void {
  waiting.set(key, draw);
  if (frame === 0) frame = requestAnimationFrame(flush);
}

/** Forgets what waits under the key. */
export function cancelFrame(key: object): void {
  waiting.delete(key);
}

function flush(): void {
  frame = 0;
  const due = [...waiting.values()];
  waiting.clear();
  for (const draw of due) draw();
}
