// Nesting deeper than a stack.

export function recursion(depth = 0) {
  return recursion(depth + 1) + 1;
}

// A trap that asks the proxy it belongs to.
export function proxyTrap() {
  const proxy = new Proxy({}, { get: (target, name, receiver) => receiver[name] });
  return proxy.anything;
}

// A text that is JSON and a million arrays deep.
export function deepJson() {
  return JSON.parse("[".repeat(1_000_000) + "]".repeat(1_000_000)).length;
}

// A result that cannot be written as JSON without as many nested calls.
export function deepResult() {
  let value = [];
  for (let i = 0; i < 50_000; i++) value = [value];
  return value;
}
