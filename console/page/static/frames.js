/* Drawing that is spread over pictures, so that forty graphs never hold up a key or a scroll. */

const SPEND_MS = 10;
const waiting = new Map();
let asked = 0;

function run() {
  asked = 0;
  const until = performance.now() + SPEND_MS;
  for (const [key, work] of waiting) {
    waiting.delete(key);
    work();
    if (performance.now() > until) break;
  }
  if (waiting.size) asked = requestAnimationFrame(run);
}

/* Do *work* soon, and of the same *key* only the newest. */
export function soon(key, work) {
  waiting.delete(key);
  waiting.set(key, work);
  asked ||= requestAnimationFrame(run);
}

export function never(key) {
  waiting.delete(key);
}
