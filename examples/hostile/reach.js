// Reaching for what is not there, and leaving.

// A module beside this package.
export function importOutside() {
  return import("../loan-calculator/app.js");
}

export function importFile() {
  return import("/etc/passwd");
}

// The engine's own modules for files and processes.
export function importSystem() {
  return import("os");
}

// Every name that a program can see without importing anything.
export function lookAround() {
  return Object.getOwnPropertyNames(globalThis).sort();
}

// Changes what everything else is built on.
export function breakBuiltins() {
  for (const type of [Object, Array, String, Promise, Function, Map]) {
    for (const name of Object.getOwnPropertyNames(type.prototype)) {
      try {
        type.prototype[name] = () => "broken";
      } catch {
        // It is read-only.
      }
    }
  }
  JSON.stringify = () => "broken";
  return "all broken";
}

export function exitNow() {
  mp.exit(3);
}
