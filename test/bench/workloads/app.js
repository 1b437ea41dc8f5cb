// Six loads that stress different parts of an engine. Each gives a checksum,
// so that none can be left out by a clever engine and all engines can be
// compared for doing the same.

export function calls() {
  const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
  return fib(24);
}

export function floats() {
  let x = 0.5, y = 0.25, sum = 0;
  for (let i = 0; i < 300000; i++) {
    [x, y] = [Math.sin(x) * 1.3 + y * 0.1, x * 0.9 - Math.sqrt(Math.abs(y))];
    sum += x * y;
  }
  return Math.round(sum);
}

export function objects() {
  const people = [];
  for (let i = 0; i < 20000; i++) people.push({ id: (i * 7919) % 20011, name: "n" + i, tags: [i % 7, i % 11] });
  people.sort((a, b) => a.id - b.id);
  const byTag = new Map();
  for (const p of people) for (const t of p.tags) byTag.set(t, (byTag.get(t) ?? 0) + p.id);
  return [...byTag.values()].reduce((a, b) => (a + b) % 1000003, 0);
}

export function strings() {
  const parts = [];
  for (let i = 0; i < 20000; i++) parts.push(`item-${i}`.padStart(12, "·").toUpperCase());
  const all = parts.join(",");
  let hash = 0;
  for (const word of all.split(",")) hash = (hash * 31 + word.charCodeAt(word.length - 1)) | 0;
  return hash + all.replace(/ITEM-(\d+)/g, (_, n) => n.length).length;
}

export function json() {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ i, s: "x".repeat(i % 20), nested: { a: [i, i / 3], b: null, c: i % 2 === 0 } }));
  let n = 0;
  for (let k = 0; k < 5; k++) n += JSON.stringify(JSON.parse(JSON.stringify(rows))).length;
  return n;
}

export function bytes() {
  const a = new Uint8Array(200000);
  for (let i = 0; i < a.length; i++) a[i] = (i * 31) & 255;
  let h = 0x811c9dc5;
  for (let i = 0; i < a.length; i++) h = Math.imul(h ^ a[i], 0x01000193) >>> 0;
  return h;
}

const loads = { calls, floats, objects, strings, json, bytes };

// measure runs one load a few times and tells its milliseconds and checksum.
export function measure({ load, times }) {
  const took = [];
  let result;
  for (let i = 0; i < times; i++) {
    const begin = Date.now();
    result = loads[load]();
    took.push(Date.now() - begin);
  }
  return { took, result };
}
