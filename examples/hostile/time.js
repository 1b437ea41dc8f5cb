// Taking time: none of these ever answers by itself.

export function endlessLoop() {
  for (;;);
}

// A regular expression that tries 2⁴⁰ ways to split a text that matches none.
export function regexBomb() {
  return /^(a+)+$/.test("a".repeat(40) + "!");
}

// A job that queues the next one, so that the event loop never gets its turn.
export function microtaskFlood() {
  const again = () => queueMicrotask(again);
  again();
  return new Promise(() => {});
}

export function sortForever() {
  const numbers = Array.from({ length: 50_000 }, () => Math.random());
  for (;;) numbers.sort(() => Math.random() - 0.5);
}

// Multiplications of numbers with tens of thousands of digits. The engine can
// be interrupted between two of them only.
export function bigintBomb() {
  const huge = 3n ** 100_000n;
  for (;;) huge * huge;
}

// One call of a built-in function that looks at 2³² − 1 empty places. The
// engine cannot interrupt it, only the whole process can be ended.
export function uninterruptible() {
  return new Array(2 ** 32 - 1).includes(1);
}

export function neverSettles() {
  return new Promise(() => {});
}

// Ignores every error that it is given to make it stop.
export function ignoresErrors() {
  for (;;) {
    try {
      for (;;);
    } catch {
      continue;
    } finally {
      continue;
    }
  }
}
