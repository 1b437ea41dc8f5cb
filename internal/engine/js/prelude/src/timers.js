// setTimeout, setInterval and their clearing. Timers that are due at the same
// time run in the order in which they were made.
//
// The timers form a binary heap by (due, number). Go is told when the first is
// due, and then calls tick, which runs one.
const MOST = 10000, LONGEST = 2147483647;
const { now, alarm } = host;
const heap = [], byId = new Map();
const get = byId.get.bind(byId), put = byId.set.bind(byId), remove = byId.delete.bind(byId);
let last = 0, order = 0, told = -1;

const before = (a, b) => a.due < b.due || (a.due === b.due && a.order < b.order);

const place = (timer, i) => { heap[i] = timer; timer.at = i; };

const up = (timer, i) => {
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(timer, heap[parent])) break;
    place(heap[parent], i);
    i = parent;
  }
  place(timer, i);
};

const down = (timer, i) => {
  const n = heap.length;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && before(heap[child + 1], heap[child])) child++;
    if (!before(heap[child], timer)) break;
    place(heap[child], i);
    i = child;
  }
  place(timer, i);
};

const insert = (timer) => {
  timer.order = ++order;
  const i = heap.length;
  heap[i] = timer;
  up(timer, i);
};

const take = (timer) => {
  const i = timer.at, moved = heap[heap.length - 1];
  heap.length--;
  if (moved !== timer) {
    down(moved, i);
    up(moved, moved.at);
  }
};

const tell = () => {
  const due = heap.length === 0 ? -1 : heap[0].due;
  if (due !== told) {
    told = due;
    alarm(due);
  }
};

const delayOf = (delay) => {
  delay = +delay;
  return delay >= 1 && delay <= LONGEST ? delay : 1;
};

const start = (what, f, delay, args, repeat) => {
  if (typeof f !== "function") throw new TypeError(`${what}: the callback is not a function`);
  delay = delayOf(delay);
  if (byId.size >= MOST) throw new RangeError(`${what}: there are ${MOST} timers already`);
  const timer = { id: ++last, f, args, delay, repeat, due: now() + delay, order: 0, at: 0 };
  put(timer.id, timer);
  insert(timer);
  tell();
  return timer.id;
};

const clear = (id) => {
  const timer = get(+id);
  if (timer === undefined) return;
  remove(timer.id);
  if (timer.at >= 0) take(timer);
  tell();
};

host.tick = () => {
  if (heap.length === 0 || heap[0].due > now()) return tell();
  const timer = heap[0], { f, args } = timer;
  take(timer);
  timer.at = -1;
  if (!timer.repeat) remove(timer.id);
  told = NaN;
  try {
    f(...args);
  } finally {
    if (timer.repeat && get(timer.id) === timer) {
      timer.due = now() + timer.delay;
      insert(timer);
    }
    tell();
  }
};

const define = (name, f) => Object.defineProperty(globalThis, name, { value: f, writable: true, enumerable: true, configurable: true });
define("setTimeout", function setTimeout(f, delay, ...args) { return start("setTimeout", f, delay, args, false); });
define("setInterval", function setInterval(f, delay, ...args) { return start("setInterval", f, delay, args, true); });
define("clearTimeout", function clearTimeout(id) { clear(id); });
define("clearInterval", function clearInterval(id) { clear(id); });
define("queueMicrotask", function queueMicrotask(f) {
  if (typeof f !== "function") throw new TypeError("queueMicrotask: the callback is not a function");
  host.enqueue(f);
});
