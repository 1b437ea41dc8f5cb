// Taking memory until there is none.

export function memoryBomb() {
  const hoard = [];
  for (;;) hoard.push(new Uint8Array(1 << 20).fill(hoard.length));
}

// Promises that settle only when the call is over, each with something to keep.
export function promiseBomb() {
  const promises = [];
  for (;;) promises.push(Promise.resolve(new Array(1000).fill(0)).then((list) => list.length));
}

export function stringBomb() {
  const texts = [];
  for (;;) texts.push("bomb".repeat(1 << 16));
}

// Catches the error of the full heap, and goes on.
export function stubbornBomb() {
  const hoard = [];
  for (;;) {
    try {
      for (;;) hoard.push(new Uint8Array(1 << 16));
    } catch {
      // There may be room for a smaller one.
    }
  }
}
